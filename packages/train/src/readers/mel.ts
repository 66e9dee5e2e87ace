// Sound as the ear hears it: bands of the mel scale, their logarithms, and MFCC. Time comes first, (frames, bands), as recurrent nets take it.

import { fail } from "@nn/tensor";
import { checkWhole } from "../check.js";
import { type Frames, N_FFT, type SpectrogramOptions, spectrogram } from "./stft.js";

/** Options of {@link melSpectrogram}; names and defaults of [torchaudio](https://pytorch.org/audio/stable/generated/torchaudio.transforms.MelSpectrogram.html). */
export interface MelOptions extends SpectrogramOptions {
  /** Samples per second. */
  readonly sampleRate: number;
  /** How many bands (default 128). The lowest may lie between two frequencies, and stay 0, if there are many and nFft is small. */
  readonly nMels?: number;
  /** Lowest frequency, Hz (default 0). */
  readonly fMin?: number;
  /** Highest frequency, Hz (default: half the sample rate). */
  readonly fMax?: number;
  /** The scale: that of HTK (default), or Slaney's as in librosa. */
  readonly melScale?: "htk" | "slaney";
  /** `"slaney"`: bands of equal area; default: of equal height. */
  readonly norm?: "slaney" | null;
}

/**
 * Energy in bands that lie as the ear hears them, (frames, nMels).
 *
 * @throws as `stft`, or if the bands are none
 * @example
 * ```ts
 * const { sampleRate, channels: [samples] } = readWav(file);
 * const { data, shape } = melSpectrogram(samples, { sampleRate, nFft: 512, nMels: 40 });
 * ```
 */
export function melSpectrogram(samples: ArrayLike<number>, options: MelOptions): Frames {
  const {
    data,
    shape: [frames, bins],
  } = spectrogram(samples, options);
  const bands = melBands(bins, options);
  const nMels = bands.length;
  const mel = new Float32Array(frames * nMels);
  for (let t = 0; t < frames; t++) {
    bands.forEach(({ first, weights }, m) => {
      let sum = 0;
      for (let i = 0; i < weights.length; i++) sum += data[t * bins + first + i] * weights[i];
      mel[t * nMels + m] = sum;
    });
  }
  return { data: mel, shape: [frames, nMels] };
}

/** ln(mel + 1e-6), as torchaudio's `log_mels`, (frames, nMels). */
export function logMel(samples: ArrayLike<number>, options: MelOptions): Frames {
  const { data, shape } = melSpectrogram(samples, options);
  return { data: data.map((v) => Math.log(v + 1e-6)), shape };
}

/**
 * Mel-frequency cepstral coefficients: the orthonormal DCT-II of {@link logMel}, its first `nMfcc` (default 40), (frames, nMfcc).
 *
 * @throws as {@link melSpectrogram}, or if nMfcc > nMels
 */
export function mfcc(
  samples: ArrayLike<number>,
  { nMfcc = 40, ...options }: MelOptions & { readonly nMfcc?: number },
): Frames {
  const {
    data,
    shape: [frames, nMels],
  } = logMel(samples, options);
  if (checkWhole("mfcc", "nMfcc", nMfcc) > nMels) {
    fail({ op: "mfcc", expected: `nMfcc of at most nMels, ${nMels}`, got: `${nMfcc}` });
  }
  const out = new Float32Array(frames * nMfcc);
  const waves = Float64Array.from({ length: nMfcc * nMels }, (_, i) => {
    const [c, m] = [Math.floor(i / nMels), i % nMels];
    return Math.cos((Math.PI * c * (m + 0.5)) / nMels) * Math.sqrt((c === 0 ? 1 : 2) / nMels);
  });
  for (let t = 0; t < frames; t++) {
    for (let c = 0; c < nMfcc; c++) {
      let sum = 0;
      for (let m = 0; m < nMels; m++) sum += data[t * nMels + m] * waves[c * nMels + m];
      out[t * nMfcc + c] = sum;
    }
  }
  return { data: out, shape: [frames, nMfcc] };
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

/** What the frequencies from `first` on weigh in a band; the others are not in it. */
interface Band {
  readonly first: number;
  readonly weights: Float64Array;
}

/** Triangles over the frequencies, each from the middle of the one before to the middle of the next. */
function melBands(bins: number, options: MelOptions): Band[] {
  const op = "melSpectrogram";
  const { sampleRate, nFft = N_FFT, nMels = 128, melScale = "htk", norm = null } = options;
  const { fMin = 0, fMax = sampleRate / 2 } = options;
  checkWhole(op, "nMels", nMels);
  if (!(sampleRate > 0 && fMin >= 0 && fMax > fMin && fMax < Infinity)) {
    fail({ op, expected: "a sampleRate, and 0 ≤ fMin < fMax", got: `${sampleRate}, ${fMin} and ${fMax}` });
  }
  const { to, from } = SCALES[melScale] ?? fail({ op, expected: 'melScale "htk" or "slaney"', got: `"${melScale}"` });
  if (norm !== null && norm !== "slaney") fail({ op, expected: 'norm "slaney" or null', got: `"${norm}"` });
  const [low, high] = [to(fMin), to(fMax)];
  const corner = Array.from({ length: nMels + 2 }, (_, i) => from(low + ((high - low) * i) / (nMels + 1)));
  const step = sampleRate / nFft;
  return Array.from({ length: nMels }, (_, m) => {
    const [left, middle, right] = corner.slice(m, m + 3);
    const area = norm === "slaney" ? 2 / (right - left) : 1;
    // Only what is truly inside, so that a band of no width gives no 0 / 0.
    const first = Math.floor(left / step) + 1;
    const end = Math.min(bins, Math.ceil(right / step));
    const weights = Float64Array.from({ length: Math.max(0, end - first) }, (_, i) => {
      const f = (first + i) * step;
      return area * Math.max(0, Math.min((f - left) / (middle - left), (right - f) / (right - middle)));
    });
    return { first, weights };
  });
}

/** Hertz to mel and back. Slaney's scale is a line up to 1 kHz, and logarithmic above. */
const SCALES = {
  htk: {
    to: (f: number) => 2595 * Math.log10(1 + f / 700),
    from: (m: number) => 700 * (10 ** (m / 2595) - 1),
  },
  slaney: {
    to: (f: number) => (f < 1000 ? (3 * f) / 200 : 15 + (27 * Math.log(f / 1000)) / Math.log(6.4)),
    from: (m: number) => (m < 15 ? (200 * m) / 3 : 1000 * Math.exp((Math.log(6.4) * (m - 15)) / 27)),
  },
} as const;
