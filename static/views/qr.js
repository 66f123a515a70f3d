// QR codes: drawn as SVG, and read by the camera. What draws them comes when the first one is drawn.
import { showModal } from "./dialogs.js";
import { byId, on } from "./dom.js";

const SVG = "http://www.w3.org/2000/svg";
const QUIET_ZONE = 4; // modules of white that ISO/IEC 18004 wants around a code

const wanted = new WeakMap(); // the text that each box is to show

/** Draws `text` into `box`, whose aria-label says what the code is. */
export async function drawQr(box, text) {
  wanted.set(box, text);
  try {
    const { generate } = await import("../vendor/lean-qr.mjs");
    if (wanted.get(box) === text) box.replaceChildren(svgOf(generate(text)));
  } catch (error) {
    console.debug("No QR code:", error.message); // the page is being left, or there is no network and no kept copy
    box.textContent = "The QR code could not be loaded.";
  }
}

function svgOf(code) {
  const svg = document.createElementNS(SVG, "svg");
  const side = code.size + 2 * QUIET_ZONE;
  svg.setAttribute("viewBox", `${-QUIET_ZONE} ${-QUIET_ZONE} ${side} ${side}`);
  svg.setAttribute("shape-rendering", "crispEdges");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", darkModules(code));
  svg.append(path);
  return svg;
}

function darkModules(code) {
  const squares = [];
  for (let y = 0; y < code.size; y += 1) {
    for (let x = 0; x < code.size; x += 1) if (code.get(x, y)) squares.push(`M${x} ${y}h1v1h-1z`);
  }
  return squares.join("");
}

/** A dialog with one large code and the text that it holds. */
export async function showQr(title, text) {
  byId("qrTitle").textContent = title;
  byId("qrText").textContent = text;
  byId("qrCanvas").setAttribute("aria-label", `QR code: ${title}`);
  await drawQr(byId("qrCanvas"), text);
  showModal(byId("qrDialog"));
}

// Reading one, where the browser knows how: the camera's picture stays in this page.

const LOOK_MS = 200;
const WHY = {
  NotAllowedError: "The camera is not allowed here: allow it in the browser's settings of this page.",
  NotFoundError: "This device has no camera.",
};

export const canScan = () => "BarcodeDetector" in window && Boolean(navigator.mediaDevices);

/** What the first code in sight says; null when the person cancels. What is wrong with the camera is said in the dialog. */
export async function scan(title) {
  const [dialog, video, status] = [byId("scanDialog"), byId("scanVideo"), byId("scanStatus")];
  byId("scanTitle").textContent = title;
  status.textContent = "";
  const closed = new Promise((resolve) => on(dialog, "close", resolve, { once: true }));
  showModal(dialog);
  try {
    video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    await video.play();
    return await Promise.race([firstCode(video, dialog), closed.then(() => null)]);
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    status.textContent = WHY[error.name] ?? `The camera can't be used: ${error.message}`;
    return await closed.then(() => null);
  } finally {
    for (const track of video.srcObject?.getTracks() ?? []) track.stop();
    video.srcObject = null;
    dialog.close();
  }
}

async function firstCode(video, dialog) {
  const detector = new BarcodeDetector({ formats: ["qr_code"] });
  while (dialog.open) {
    const [code] = await detector.detect(video);
    if (code) return code.rawValue;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  return null;
}
