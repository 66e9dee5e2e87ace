// A pad to draw a digit on, with mouse, finger, pen or keyboard. What was drawn becomes a picture as MNIST has them: fitted into 20 × 20
// pixels, centred on 28 × 28, drawn with the pen of the drawn digits.

import { draw, drawDigit, type Point } from "@nn/examples/digits";
import { random } from "@nn/examples/random";
import { colour, h, oncePerFrame } from "../frame/dom.js";
import { drawSheet, ink } from "../frame/pictures.js";
import { onTheme } from "../frame/theme.js";

const SIDE = 280;
const [BODY, IMAGE, PEN] = [20, 28, 1.25];

export class Pad {
  readonly canvas = h("canvas", {
    id: "pad",
    tabindex: 0,
    role: "application",
    "aria-label":
      "Drawing pad. Arrow keys move the pen, space lowers or lifts it, delete clears, a digit key shows an example.",
  });
  #strokes: Point[][] = [];
  #shown: Float32Array | null = null; // an example instead of strokes
  #pen: Point = [0.5, 0.25];
  #down = false;
  #examples = 0;
  readonly #changed: (pixels: Float32Array) => void;
  readonly #draw = oncePerFrame(() => this.#paint());

  constructor(changed: (pixels: Float32Array) => void) {
    this.#changed = changed;
    this.canvas.width = this.canvas.height = 2 * SIDE;
    this.canvas.style.cssText = `width: 100%; max-width: ${SIDE}px; aspect-ratio: 1; touch-action: none; cursor: crosshair; border-radius: 10px`;
    this.canvas.addEventListener("pointerdown", (event) => this.#start(event));
    this.canvas.addEventListener("pointermove", (event) => this.#move(event));
    for (const end of ["pointerup", "pointercancel"]) this.canvas.addEventListener(end, () => this.#lift());
    this.canvas.addEventListener("keydown", (event) => this.#key(event));
    for (const event of ["focus", "blur"]) this.canvas.addEventListener(event, this.#draw);
    onTheme(this.#draw);
  }

  clear(): void {
    this.#strokes = [];
    this.#shown = null;
    this.#lift();
    this.#tell();
  }

  /** Shows a drawn example of a digit, another one each time. */
  show(digit: number): void {
    this.showPixels(drawDigit(digit, random(1000 + this.#examples++)));
  }

  /** Shows a picture of 784 values. */
  showPixels(pixels: Float32Array): void {
    this.#strokes = [];
    this.#shown = pixels;
    this.#tell();
  }

  /** 784 values, 0 (paper) to 1 (ink). */
  get pixels(): Float32Array {
    if (this.#shown) return this.#shown;
    const points = this.#strokes.flat();
    if (points.length === 0) return new Float32Array(IMAGE * IMAGE);
    const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
    const [left, top] = [Math.min(...xs), Math.min(...ys)];
    const [width, height] = [Math.max(...xs) - left, Math.max(...ys) - top];
    const scale = BODY / Math.max(width, height, 0.15);
    const place = ([x, y]: Point): Point => [
      IMAGE / 2 + scale * (x - left - width / 2),
      IMAGE / 2 + scale * (y - top - height / 2),
    ];
    // A dot is a line to itself.
    return draw(
      this.#strokes.map((s) => (s.length > 1 ? s : [s[0], s[0]]).map(place)),
      PEN,
    );
  }

  #at(event: PointerEvent): Point {
    const { left, top, width, height } = this.canvas.getBoundingClientRect();
    return [(event.clientX - left) / width, (event.clientY - top) / height];
  }

  #start(event: PointerEvent): void {
    this.canvas.setPointerCapture(event.pointerId);
    this.#begin(this.#at(event));
  }

  #begin(point: Point): void {
    this.#shown = null;
    this.#down = true;
    this.#strokes.push([point]);
    this.#tell();
  }

  #move(event: PointerEvent): void {
    if (!this.#down) return;
    for (const part of event.getCoalescedEvents?.() ?? [event]) this.#strokes.at(-1)!.push(this.#at(part));
    this.#tell();
  }

  #lift(): void {
    this.#down = false;
  }

  #key(event: KeyboardEvent): void {
    const { key } = event;
    const [x, y] = this.#pen;
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key];
    if (by) {
      const within = (v: number) => Math.min(0.95, Math.max(0.05, v));
      this.#pen = [within(x + by[0] * 0.05), within(y + by[1] * 0.05)];
      if (this.#down) this.#strokes.at(-1)!.push(this.#pen);
    } else if (key === " ") {
      if (this.#down) this.#lift();
      else this.#begin(this.#pen);
    } else if (key === "Delete" || key === "Backspace") this.clear();
    else if (/^\d$/.test(key)) this.show(Number(key));
    else return;
    event.preventDefault();
    this.#tell();
  }

  #tell(): void {
    this.#draw();
    this.#changed(this.pixels);
  }

  #paint(): void {
    const { canvas } = this;
    const context = canvas.getContext("2d")!;
    const side = canvas.width;
    context.fillStyle = colour("sunk");
    context.fillRect(0, 0, side, side);
    if (this.#shown) {
      const small = h("canvas");
      drawSheet(small, { data: this.#shown, count: 1, width: 28, height: 28, columns: 1, palette: ink() });
      context.imageSmoothingEnabled = true;
      context.drawImage(small, 0, 0, side, side);
    }
    context.strokeStyle = context.fillStyle = colour("ink");
    Object.assign(context, { lineWidth: side * 0.07, lineCap: "round", lineJoin: "round" });
    for (const stroke of this.#strokes) {
      context.beginPath();
      context.moveTo(stroke[0][0] * side, stroke[0][1] * side);
      for (const [x, y] of stroke.length > 1 ? stroke : [stroke[0], stroke[0]]) context.lineTo(x * side, y * side);
      context.stroke();
    }
    if (document.activeElement !== canvas) return;
    context.beginPath(); // the pen of the keyboard
    context.arc(this.#pen[0] * side, this.#pen[1] * side, side * 0.035, 0, 7);
    Object.assign(context, { strokeStyle: colour("warm"), lineWidth: 4 });
    context.stroke();
    if (this.#down) context.fill();
  }
}
