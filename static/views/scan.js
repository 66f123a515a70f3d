// Reading a QR code by the camera, where the browser knows how: its picture stays in this page.
import { showModal } from "./dialogs.js";
import { byId, on } from "./dom.js";

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
