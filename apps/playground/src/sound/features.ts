// What the network hears: every 10 ms the energy in 32 bands, as the ear has them. The same for files and for the microphone.

import { logMel } from "@nn/train";

/** Samples per second; other rates are brought to it. */
export const RATE = 8000;
export const BANDS = 32;
/** Samples under a window, and from window to window. */
export const [WINDOW, HOP] = [256, 80];
/** Seconds of an example, and its frames. */
export const SECONDS = 1.2;
export const FRAMES = 1 + Math.floor((SECONDS * RATE - WINDOW) / HOP);

const OPTIONS = { sampleRate: RATE, nFft: WINDOW, hopLength: HOP, nMels: BANDS, center: false } as const;

/** (frames, bands), about -1 to 2. */
export function features(samples: ArrayLike<number>): Float32Array {
  return logMel(samples, OPTIONS).data.map((v) => v / 5 + 1);
}

/** Brings sound to RATE, piece by piece: means of what falls into each new sample, which also takes off what is too high for it. */
export function resampler(from: number): (samples: ArrayLike<number>) => number[] {
  let [sum, count, place] = [0, 0, 0];
  return (samples) => {
    const out: number[] = [];
    for (let i = 0; i < samples.length; i++) {
      sum += samples[i];
      count++;
      place += RATE / from;
      for (; place >= 1; place--) {
        out.push(count > 0 ? sum / count : (out.at(-1) ?? 0));
        sum = count = 0;
      }
    }
    return out;
  };
}
