// QR codes as SVG. What makes them comes when the first one is drawn.
import { showModal } from "./dialogs.js";
import { byId } from "./dom.js";

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
