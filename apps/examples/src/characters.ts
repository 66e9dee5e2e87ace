/** Invented characters: a few strokes each, never written twice alike. What faces are to who must tell people apart that he has not met. */

import { type Dataset, IMAGE, PIXELS } from "./dataset.js";
import { addNoise, curve, draw, handwriting, type Stroke } from "./digits.js";
import { type Random, random } from "./random.js";

/** `times` of each of `kinds` characters, labels 0 to kinds − 1. */
export function drawCharacters(kinds: number, times: number, seed: number): Dataset {
  const source = random(seed);
  const inputs = new Float32Array(kinds * times * PIXELS);
  for (let kind = 0; kind < kinds; kind++) {
    const character = invent(source);
    for (let i = 0; i < times; i++) inputs.set(write(character, source), (kind * times + i) * PIXELS);
  }
  const labels = Int32Array.from({ length: kinds * times }, (_, i) => Math.floor(i / times));
  return { count: kinds * times, shape: IMAGE, inputs, labels };
}

// ---------------------------------------------------------------------------------------------

/** Two or three curves through three or four points. */
function invent(source: Random): Stroke[] {
  const point = (): [number, number] => [source.uniform(0.05, 0.95), source.uniform(0, 1)];
  return Array.from({ length: 2 + source.below(2) }, () => Array.from({ length: 3 + source.below(2) }, point));
}

/** By a hand that bends, slants, turns and scales, and does not meet the points. */
function write(character: readonly Stroke[], source: Random): Float32Array {
  const place = handwriting(source);
  const near = (value: number): number => value + 0.05 * source.normal();
  const strokes = character.map((points) => curve(...points.map(([x, y]) => [near(x), near(y)] as const)).map(place));
  return addNoise(draw(strokes, source.uniform(0.8, 1.6)), source);
}
