// From sound to spectrum and back: windows, the short-time Fourier transform and its inverse. Time comes first, (frames, frequencies), as recurrent
// nets take it. Sums are in double precision.

import { fail } from "@nn/tensor";
import { checkWhole } from "../check.js";
import { irfft, rfft } from "./fourier.js";

/**
 * Hann's window, 0.5 − 0.5 cos(2πi / N), as [torch.hann_window](https://pytorch.org/docs/stable/generated/torch.hann_window.html).
 *
 * @param options.periodic true (default): N is the length, so that windows half over each other add up to 1; false: length − 1, so that it is symmetric
 * @example
 * ```ts
 * const spectrum = stft(samples, { nFft: 512, winLength: 400, window: hannWindow(400, { periodic: false }) });
 * ```
 */
export function hannWindow(length: number, options: { readonly periodic?: boolean } = {}): Float64Array {
  return cosineWindow("hannWindow", length, { alpha: 0.5, beta: 0.5, ...options });
}

/**
 * Hamming's window, alpha − beta cos(2πi / N), as [torch.hamming_window](https://pytorch.org/docs/stable/generated/torch.hamming_window.html).
 *
 * @param options.periodic true (default): N is the length; false: length − 1, so that it is symmetric
 * @param options.alpha default 0.54
 * @param options.beta default 0.46
 */
export function hammingWindow(
  length: number,
  options: { readonly periodic?: boolean; readonly alpha?: number; readonly beta?: number } = {},
): Float64Array {
  return cosineWindow("hammingWindow", length, options);
}

/** Options of {@link stft}; names of PyTorch, defaults of [torchaudio](https://pytorch.org/audio/stable/generated/torchaudio.transforms.Spectrogram.html). */
export interface StftOptions {
  /** Samples that a Fourier transform takes (default 400). */
  readonly nFft?: number;
  /** Samples under the window, at most nFft (default nFft). */
  readonly winLength?: number;
  /** Samples from frame to frame (default: half of winLength). */
  readonly hopLength?: number;
  /** What samples are multiplied by, winLength numbers (default: {@link hannWindow}). */
  readonly window?: ArrayLike<number>;
  /** Whether frames have their sample in the middle, with the sound mirrored at its ends (default true), or begin with it. */
  readonly center?: boolean;
}

/** Complex numbers by frame and frequency: of frequency k at frame t, at t · bins + k. */
export interface Stft {
  readonly re: Float64Array;
  readonly im: Float64Array;
  /** (frames, floor(nFft / 2) + 1) */
  readonly shape: readonly [number, number];
}

/**
 * Short-time Fourier transform, as [torch.stft](https://pytorch.org/docs/stable/generated/torch.stft.html). Frequency k is k · sampleRate / nFft Hz.
 *
 * @throws if the sound is shorter than a frame, or than its mirrored ends
 * @example
 * ```ts
 * const { re, im, shape: [frames, bins] } = stft(samples, { nFft: 512, hopLength: 128 });
 * ```
 */
export function stft(samples: ArrayLike<number>, options: StftOptions = {}): Stft {
  const { nFft, hopLength, window, pad } = framing("stft", options);
  const { length } = samples;
  if (length <= pad || length + 2 * pad < nFft) {
    fail({
      op: "stft",
      expected: `more than ${Math.max(pad, nFft - 2 * pad - 1)} samples, for nFft ${nFft}`,
      got: `${length}`,
    });
  }
  const sound = new Float64Array(length + 2 * pad);
  sound.set(samples, pad);
  for (let i = 1; i <= pad; i++) {
    sound[pad - i] = sound[pad + i];
    sound[pad + length - 1 + i] = sound[pad + length - 1 - i];
  }
  const frames = 1 + Math.floor((sound.length - nFft) / hopLength);
  const bins = Math.floor(nFft / 2) + 1;
  const [re, im] = [new Float64Array(frames * bins), new Float64Array(frames * bins)];
  for (let t = 0; t < frames; t++) {
    const [a, b] = rfft(window.map((w, i) => w * sound[t * hopLength + i]));
    re.set(a, t * bins);
    im.set(b, t * bins);
  }
  return { re, im, shape: [frames, bins] };
}

/** Options of {@link istft}: those of the {@link stft}, and a length. */
export interface IstftOptions extends StftOptions {
  /** As of the stft (default 2 · (frequencies − 1)); if odd, it must be given. */
  readonly nFft?: number;
  /** Samples of the sound: it is cut, or ends with zeros (default: as many as the frames reach, which may be less than a hop short of the sound's end). */
  readonly length?: number;
}

/**
 * Inverse short-time Fourier transform, as [torch.istft](https://pytorch.org/docs/stable/generated/torch.istft.html): frames are windowed once more, added
 * where they belong, and divided by the sum of the squared windows. Of a changed spectrum it is the sound whose spectrum is nearest (Griffin and Lim, 1984).
 *
 * @throws if the spectrum has another shape, or no window covers some sample ("nonzero overlap-add", NOLA)
 * @example
 * ```ts
 * const options = { nFft: 512, hopLength: 128 };
 * const { re, im, shape } = stft(samples, options);
 * const quiet = re.map((v, i) => (Math.hypot(v, im[i]) < 0.1 ? 0 : 1));
 * const gated = istft({ re: re.map((v, i) => v * quiet[i]), im: im.map((v, i) => v * quiet[i]), shape }, { ...options, length: samples.length });
 * ```
 */
export function istft({ re, im, shape }: Stft, options: IstftOptions = {}): Float32Array {
  const op = "istft";
  const [frames, bins] = shape;
  const { nFft, hopLength, window, pad } = framing(op, { ...options, nFft: options.nFft ?? 2 * (bins - 1) });
  if (Math.floor(nFft / 2) + 1 !== bins) {
    fail({ op, expected: `${Math.floor(nFft / 2) + 1} frequencies, for nFft ${nFft}`, got: `${bins}` });
  }
  checkWhole(op, "frames", frames);
  if (re.length !== frames * bins || im.length !== re.length) {
    fail({ op, expected: `re and im of ${frames} · ${bins} numbers`, got: `${re.length} and ${im.length}` });
  }
  const end = nFft + hopLength * (frames - 1);
  const length = checkWhole(op, "length", options.length ?? end - 2 * pad, 0);
  const [sum, weight] = [new Float64Array(end), new Float64Array(end)];
  for (let t = 0; t < frames; t++) {
    const [from, to] = [t * bins, (t + 1) * bins];
    const frame = irfft(re.subarray(from, to), im.subarray(from, to), { n: nFft });
    window.forEach((w, i) => {
      sum[t * hopLength + i] += w * frame[i];
      weight[t * hopLength + i] += w * w;
    });
  }
  const sound = new Float32Array(length);
  for (let i = 0; i < Math.min(length, end - pad); i++) {
    if (!(weight[pad + i] > 1e-11)) {
      fail({
        op,
        expected: "windows that are nowhere all zero",
        got: `${weight[pad + i]}, the sum of their squares at sample ${i} (hopLength ${hopLength}, center ${pad > 0})`,
        hint: "Use a smaller hopLength, center: true, or a window without zeros.",
      });
    }
    sound[i] = sum[pad + i] / weight[pad + i];
  }
  return sound;
}

/** Numbers by time and feature. */
export interface Frames {
  /** Frame after frame. */
  readonly data: Float32Array;
  /** (frames, features) */
  readonly shape: readonly [number, number];
}

/** Options of {@link spectrogram}. */
export interface SpectrogramOptions extends StftOptions {
  /** 2 for power (default), 1 for magnitude. */
  readonly power?: number;
}

/**
 * |STFT| to a power, as [torchaudio](https://pytorch.org/audio/stable/generated/torchaudio.transforms.Spectrogram.html) has it, (frames, frequencies).
 *
 * @throws as {@link stft}, or if power is not above 0
 */
export function spectrogram(samples: ArrayLike<number>, { power = 2, ...options }: SpectrogramOptions = {}): Frames {
  if (!(power > 0)) fail({ op: "spectrogram", expected: "power above 0", got: `${power}` });
  const { re, im, shape } = stft(samples, options);
  return { data: Float32Array.from(re, (a, i) => (a * a + im[i] * im[i]) ** (power / 2)), shape };
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

/** Of torchaudio. */
export const N_FFT = 400;

function cosineWindow(
  op: string,
  length: number,
  { periodic = true, alpha = 0.54, beta = 0.46 }: { periodic?: boolean; alpha?: number; beta?: number },
): Float64Array {
  if (checkWhole(op, "length", length, 0) === 1) return Float64Array.of(1);
  const turn = (2 * Math.PI) / (periodic ? length : length - 1);
  return Float64Array.from({ length }, (_, i) => alpha - beta * Math.cos(turn * i));
}

/** How sound is cut into frames: the window in the middle of nFft numbers, and by how much the sound is longer at both ends. */
function framing(op: string, options: StftOptions) {
  const { nFft = N_FFT, winLength = nFft, center = true } = options;
  checkWhole(op, "nFft", nFft);
  checkWhole(op, "winLength", winLength);
  if (winLength > nFft) fail({ op, expected: `winLength of at most nFft, ${nFft}`, got: `${winLength}` });
  const { hopLength = Math.max(1, Math.floor(winLength / 2)), window: shape = hannWindow(winLength) } = options;
  checkWhole(op, "hopLength", hopLength);
  if (shape.length !== winLength) {
    fail({
      op,
      expected: `a window of winLength, ${winLength}, numbers`,
      got: `${shape.length}`,
      hint: `Give winLength: ${shape.length}, too, if it is meant.`,
    });
  }
  const window = new Float64Array(nFft);
  window.set(shape, Math.floor((nFft - winLength) / 2));
  return { nFft, hopLength, window, pad: center ? Math.floor(nFft / 2) : 0 };
}
