/** A text as numbers, cut into rows of characters. */
import { type Tensor, tensor } from "@nn/tensor";
import { readBytes, wrong } from "./files.js";
import type { Random } from "./random.js";

/** Characters of a row, and rows of a batch. */
export const [STEPS, ROWS] = [64, 32];

export interface Text {
  /** All that occur, in order; numbers stand for them. */
  readonly characters: string;
  readonly training: Int32Array;
  /** The last tenth. */
  readonly test: Int32Array;
}

/** @throws UserError */
export function readText(file: string): Text {
  const hint = "Give the folder of tinyshakespeare's input.txt after --data";
  const text = new TextDecoder().decode(readBytes(file, { expected: "text", hint }));
  if (text.length <= 10 * (STEPS + 1)) {
    wrong(file, { got: `it has ${text.length} characters`, expected: `more than ${10 * (STEPS + 1)}`, hint });
  }
  return numbered(text);
}

/** All of it, the last tenth for the test. */
export function numbered(text: string): Text {
  const characters = [...new Set(text)].sort().join("");
  const all = Int32Array.from(text, (c) => characters.indexOf(c));
  const cut = Math.floor(0.9 * all.length);
  return { characters, training: all.subarray(0, cut), test: all.subarray(cut) };
}

/** Where each row of each step begins. */
export function drawPlaces(length: number, steps: number, source: Random): Int32Array {
  return Int32Array.from({ length: steps * ROWS }, () => source.below(length - STEPS));
}

/** Rows of characters, and the same a character later. */
export function rowsAt(text: Int32Array, places: Int32Array): { x: Tensor; y: Tensor } {
  const cut = (shift: number): Tensor => {
    const values = new Int32Array(places.length * STEPS);
    places.forEach((from, i) => {
      values.set(text.subarray(from + shift, from + shift + STEPS), i * STEPS);
    });
    return tensor(values, { shape: [places.length, STEPS] });
  };
  return { x: cut(0), y: cut(1) };
}

/** The loss of who knows how frequent each character is in the training text, and nothing else. */
export function frequencyLoss({ characters, training, test }: Text): number {
  const counts = new Float64Array(characters.length).fill(1);
  for (const c of training) counts[c]++;
  const all = training.length + characters.length;
  return test.reduce((sum, c) => sum - Math.log(counts[c] / all), 0) / test.length;
}
