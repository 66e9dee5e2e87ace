/** Digits as text, two rows of pixels to a line of half blocks. */
import { PIXELS, SIDE } from "./dataset.js";

/** The digit in lines of 14 characters: each half of a character is the mean of 2×2 pixels, as ink or not. */
export function picture(pixels: Float32Array): string[] {
  if (pixels.length !== PIXELS) throw new RangeError(`expected ${PIXELS} pixels, got ${pixels.length}`);
  const inked = (row: number, column: number): boolean => {
    const at = 2 * row * SIDE + 2 * column;
    return pixels[at] + pixels[at + 1] + pixels[at + SIDE] + pixels[at + SIDE + 1] > 4 * 0.3;
  };
  return Array.from({ length: SIDE / 4 }, (_, line) =>
    Array.from({ length: SIDE / 2 }, (_, column) => {
      const [upper, lower] = [inked(2 * line, column), inked(2 * line + 1, column)];
      return upper ? (lower ? "█" : "▀") : lower ? "▄" : " ";
    }).join(""),
  );
}

/** Pictures beside each other, each with a caption below. */
export function gallery(digits: readonly { readonly pixels: Float32Array; readonly caption: string }[]): string {
  const pictures = digits.map(({ pixels }) => picture(pixels));
  const lines = pictures[0].map((_, line) => pictures.map((p) => p[line]).join("  "));
  return [...lines, digits.map(({ caption }) => caption.padStart(8).padEnd(14)).join("  ")]
    .map((l) => l.trimEnd())
    .join("\n");
}
