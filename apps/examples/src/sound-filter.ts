/** Filtering sound frame by frame by gains of its frequencies, as it comes; the noise that is left; spectral subtraction; WAV files. */
import { writeFileSync } from "node:fs";
import { fft } from "@nn/train";
import { reason, UserError } from "./user-error.js";

export const FRAME = 256;
export const HOP = 128;
export const BINS = FRAME / 2 + 1;

/** From the magnitudes of a frame's frequencies to what each is multiplied by. It may remember earlier frames. */
export type Gains = (magnitudes: Float32Array) => ArrayLike<number>;

/** Hann's window's square root: once before the transform, once after it, and two half-way overlapping frames add up to 1. */
export const WINDOW = Float64Array.from({ length: FRAME }, (_, i) => Math.sin((Math.PI * i) / FRAME));

const NOTHING = new Float64Array(FRAME);

/** The spectrum of 256 samples. */
export function spectrum(frame: ArrayLike<number>): { re: Float64Array; im: Float64Array; magnitudes: Float32Array } {
  const [re, im] = fft(
    WINDOW.map((w, i) => w * frame[i]),
    NOTHING,
  );
  const magnitudes = new Float32Array(BINS);
  for (let k = 0; k < BINS; k++) magnitudes[k] = Math.sqrt(re[k] * re[k] + im[k] * im[k]);
  return { re, im, magnitudes };
}

/** A function from 128 samples to the 128 before them, filtered: the delay is a hop, beside the hop that has to be heard. */
export function liveFilter(gains: Gains): (hop: Float32Array) => Float32Array {
  const heard = new Float32Array(FRAME);
  let tail = new Float64Array(HOP);
  return (hop) => {
    heard.copyWithin(0, HOP);
    heard.set(hop, HOP);
    const { re, im, magnitudes } = spectrum(heard);
    const gain = gains(magnitudes);
    const at = (k: number) => gain[k < BINS ? k : FRAME - k];
    // The inverse transform is the transform of the conjugate, over the length; what is left is real.
    const [back] = fft(
      re.map((v, k) => (at(k) * v) / FRAME),
      im.map((v, k) => (-at(k) * v) / FRAME),
    );
    const out = Float32Array.from(tail, (value, i) => value + WINDOW[i] * back[i]);
    tail = Float64Array.from({ length: HOP }, (_, i) => WINDOW[HOP + i] * back[HOP + i]);
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
  const bytes = Buffer.alloc(44 + 2 * samples.length);
  bytes.write("RIFF", 0);
  bytes.writeUInt32LE(bytes.length - 8, 4);
  bytes.write("WAVEfmt ", 8);
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20); // PCM
  bytes.writeUInt16LE(1, 22); // channels
  bytes.writeUInt32LE(rate, 24);
  bytes.writeUInt32LE(2 * rate, 28);
  bytes.writeUInt16LE(2, 32);
  bytes.writeUInt16LE(16, 34);
  bytes.write("data", 36);
  bytes.writeUInt32LE(2 * samples.length, 40);
  samples.forEach((v, i) => {
    bytes.writeInt16LE(Math.round(32767 * Math.min(1, Math.max(-1, v))), 44 + 2 * i);
  });
  try {
    writeFileSync(file, bytes);
  } catch (error) {
    throw new UserError(`${file}: it could not be written (${reason(error)}). Choose another folder with --out.`);
  }
}
