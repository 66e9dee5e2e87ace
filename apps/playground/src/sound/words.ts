// Sounds that stand for words, so that the page works without a microphone: each time of another pitch, length and loudness.

import type { Random } from "@nn/examples/random";
import { RATE } from "./features.js";

/** What is heard at a time from 0 to 1 of the word: a frequency in Hz, and how loud. */
type Word = (t: number) => readonly [hertz: number, loudness: number];

const WORDS: Readonly<Record<string, Word>> = {
  rise: (t) => [450 + 1500 * t, 1],
  fall: (t) => [1950 - 1500 * t, 1],
  warble: (t) => [1000 + 260 * Math.sin(2 * Math.PI * 5 * t), 1],
  beep: (t) => [1250, t < 0.35 || t > 0.65 ? 1 : 0],
  hum: () => [190, 1],
  "bird call": (t) => [2200 + 900 * Math.sin(2 * Math.PI * 3 * t) * (1 - t), t % 0.34 < 0.24 ? 1 : 0.1],
};

export const MADE = Object.keys(WORDS);

/** One of these words, said by nobody. */
export function say(word: string, source: Random): Float32Array {
  const at = WORDS[word];
  const [pitch, loudness] = [source.uniform(0.85, 1.18), source.uniform(0.12, 0.45)];
  const length = Math.round(source.uniform(0.28, 0.5) * RATE);
  let phase = 0;
  return Float32Array.from({ length }, (_, i) => {
    const t = i / length;
    const [hertz, loud] = at(t);
    phase += (2 * Math.PI * pitch * hertz) / RATE;
    // With two overtones; swelling and fading, so that nothing clicks.
    const wave = Math.sin(phase) + 0.4 * Math.sin(2 * phase) + 0.15 * Math.sin(3 * phase);
    return loudness * loud * wave * Math.min(1, 14 * t, 14 * (1 - t));
  });
}
