// Examples to learn from: words somewhere in a second of noise, and for every frame what is to be said: nothing at first, the word from
// past its middle until a moment after its end.

import { type Random, random } from "@nn/examples/random";
import { BANDS, FRAMES, features, HOP, RATE, SECONDS, WINDOW } from "./features.js";
import { MADE, say } from "./words.js";

export interface Recording {
  readonly word: string;
  /** At RATE. */
  readonly samples: Float32Array;
}

export interface Examples {
  readonly count: number;
  /** (count, FRAMES, BANDS) */
  readonly x: Float32Array;
  /** (count, FRAMES): 0, or 1 + the word's number. */
  readonly y: Int32Array;
  /** The words' numbers. */
  readonly words: Int32Array;
  readonly sounds: readonly Float32Array[];
}

/** Examples of words that this page makes. */
export function madeExamples(count: number, seed: number, noise: number): Examples {
  const source = random(seed);
  const recordings = Array.from({ length: count }, (_, i) => {
    const word = MADE[i % MADE.length];
    return { word, samples: say(word, source) };
  });
  return place(recordings, MADE, source, noise);
}

/** Examples from recordings, each several times: at another place, louder or softer, in other noise. */
export function recordedExamples(
  recordings: readonly Recording[],
  count: number,
  words: readonly string[],
  seed: number,
  noise: number,
): Examples {
  const source = random(seed);
  const order = source.shuffle(recordings.map((_, i) => i));
  const chosen = Array.from({ length: count }, (_, i) => recordings[order[i % order.length]]);
  const varied = chosen.map(({ word, samples }) => {
    const gain = source.uniform(0.5, 1.5);
    return { word, samples: trim(samples).map((v) => gain * v) };
  });
  return place(varied, words, source, noise);
}

function place(recordings: readonly Recording[], words: readonly string[], source: Random, noise: number): Examples {
  const count = recordings.length;
  const x = new Float32Array(count * FRAMES * BANDS);
  const y = new Int32Array(count * FRAMES);
  const numbers = new Int32Array(count);
  const sounds = recordings.map(({ word, samples }, n) => {
    const hiss = 0.02 * noise * source.uniform(0.1, 1) + 0.0005;
    const sound = Float32Array.from({ length: SECONDS * RATE }, () => hiss * source.normal());
    const room = sound.length - samples.length - 0.15 * RATE;
    const start = Math.floor(source.uniform(0, Math.max(1, room)));
    for (let i = 0; i < samples.length && start + i < sound.length; i++) sound[start + i] += samples[i];
    x.set(features(sound), n * FRAMES * BANDS);
    numbers[n] = words.indexOf(word);
    // A frame is told at its end.
    const frame = (sample: number) => Math.floor((sample - WINDOW) / HOP);
    const [from, to] = [frame(start + 0.6 * samples.length), frame(start + samples.length + 0.15 * RATE)];
    for (let t = Math.max(0, from); t <= Math.min(FRAMES - 1, to); t++) y[n * FRAMES + t] = 1 + numbers[n];
    return sound;
  });
  return { count, x, y, words: numbers, sounds };
}

/** The loud part of a recording, at most 0.9 s. */
export function trim(samples: Float32Array): Float32Array {
  const size = 160; // 20 ms
  const levels = Array.from({ length: Math.floor(samples.length / size) }, (_, i) =>
    Math.hypot(...samples.subarray(i * size, (i + 1) * size)),
  );
  const loud = 0.12 * Math.max(...levels);
  const first = Math.max(0, levels.findIndex((v) => v > loud) - 1);
  const last = levels.findLastIndex((v) => v > loud) + 2;
  return samples.slice(first * size, Math.min(last * size, first * size + 0.9 * RATE));
}
