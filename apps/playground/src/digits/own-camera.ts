// The camera, for pictures of the visitor's own things.

import { h } from "../frame/dom.js";
import { reason } from "../frame/reason.js";
import { shrink } from "./own-images.js";

export class Camera {
  readonly video = h("video", { muted: true, playsInline: true, hidden: true, "aria-label": "What the camera sees" });
  readonly button = h("button", { type: "button" }, "Use the camera");
  #stream: MediaStream | null = null;

  /** @param switched called when it is on or off; failed what kept it from it */
  constructor(switched: (on: boolean) => void, failed: (why: string) => void) {
    this.button.addEventListener("click", async () => {
      try {
        await this.#switch();
        switched(this.#stream !== null);
      } catch (error) {
        failed(`The camera cannot be used: ${reason(error)}. Files do as well.`);
      }
    });
  }

  /** What it sees now; null if it is off, or sees nothing yet. */
  get picture(): Uint8Array | null {
    return this.#stream && this.video.videoWidth > 0 ? shrink(this.video) : null;
  }

  async #switch(): Promise<void> {
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    const wanted = { video: { width: 320, height: 240 } };
    this.#stream = this.#stream ? null : await navigator.mediaDevices.getUserMedia(wanted);
    this.video.srcObject = this.#stream;
    this.video.hidden = !this.#stream;
    this.button.textContent = this.#stream ? "Stop the camera" : "Use the camera";
    if (this.#stream) await this.video.play();
  }
}
