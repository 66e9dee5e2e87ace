/** Filtering sound frame by frame by gains of its frequencies, as it comes; the noise that is left; spectral subtraction; WAV files. */
import { writeFileSync } from "node:fs";
import { hannWindow, irfft, rfft, writeWav as wavBytes } from "@nn/train";
import { reason, UserError } from "./user-error.js";

export const FRAME = 256;
export const HOP = 128;
export const BINS = FRAME / 2 + 1;

/** From the magnitudes of a frame's frequencies to what each is multiplied by. It may remember earlier frames. */
export type Gains = (magnitudes: Float32Array) => ArrayLike<number>;

/** Hann's window's square root: once before the transform, once after it, and two half-way overlapping frames add up to 1. */
const WINDOW = hannWindow(FRAME).map(Math.sqrt);

/** For the spectra of whole sounds (`stft`, `spectrogram`): the frames are those that a filter hears. */
export const FRAMES = { nFft: FRAME, hopLength: HOP, window: WINDOW, center: false } as const;

/** A function from 128 samples to the 128 before them, filtered: the delay is a hop, beside the hop that has to be heard. */
export function liveFilter(gains: Gains): (hop: Float32Array) => Float32Array {
  const heard = new Float32Array(FRAME);
  let tail = new Float64Array(HOP);
  return (hop) => {
    heard.copyWithin(0, HOP);
    heard.set(hop, HOP);
    const [re, im] = rfft(WINDOW.map((w, i) => w * heard[i]));
    const gain = gains(Float32Array.from(re, (v, k) => Math.sqrt(v * v + im[k] * im[k])));
    const times = (part: Float64Array) => part.map((v, k) => gain[k] * v);
    const back = irfft(times(re), times(im)).map((v, i) => WINDOW[i] * v);
    const out = Float32Array.from(tail, (value, i) => value + back[i]);
    tail = back.slice(HOP);
    return out;
  };
}

/** A whole sound, hop by hop; what comes out stands where it came in. A last part that is no whole hop is left out. */
export function filter(samples: Float32Array, gains: Gains): Float32Array {
  const live = liveFilter(gains);
  const hops = Math.floor(samples.length / HOP);
  const out = new Float32Array(hops * HOP);
  for (let i = 0; i <= hops; i++) {
    const hop = i < hops ? samples.subarray(i * HOP, (i + 1) * HOP) : new Float32Array(HOP);
    const filtered = live(hop);
    if (i > 0) out.set(filtered, (i - 1) * HOP);
  }
  return out;
}

/**
 * Spectral subtraction (Boll, 1979): from each frequency's power that of the noise is taken off, `strength` times; the noise is the mean of the first
 * `frames` frames.
 */
export function spectralSubtraction(strength: number, frames = 12): Gains {
  const noise = new Float64Array(BINS);
  let seen = 0;
  return (magnitudes) => {
    if (seen++ < frames)
      magnitudes.forEach((m, k) => {
        noise[k] += (m * m) / frames;
      });
    return magnitudes.map((m, k) => Math.sqrt(Math.max(0.01, 1 - (strength * noise[k]) / (m * m + 1e-12))));
  };
}

/** One channel, 16 bits. @throws UserError where the file cannot be written */
export function writeWav(file: string, samples: Float32Array, rate: number): void {
  try {
    writeFileSync(file, wavBytes(samples, { sampleRate: rate }));
  } catch (error) {
    throw new UserError(`${file}: it could not be written (${reason(error)}). Choose another folder with --out.`);
  }
}
