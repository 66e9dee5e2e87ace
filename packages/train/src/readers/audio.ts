// From sound to features: short-time Fourier transform, mel spectrogram, MFCC. Time steps come first, (frames, features), as recurrent nets
// take them. Sums are in double precision.

import { fail } from "@nn/tensor";
import { checkWhole } from "../check.js";

/** Numbers by time and feature. */
export interface Frames {
  /** Frame after frame. */
  readonly data: Float32Array;
  /** (frames, features) */
  readonly shape: readonly [number, number];
}

/** Options of {@link spectrogram}; names and defaults of [torchaudio](https://pytorch.org/audio/stable/generated/torchaudio.transforms.Spectrogram.html). */
export interface SpectrogramOptions {
  /** Samples that a Fourier transform takes (default 400). */
  readonly nFft?: number;
  /** Samples under the window, at most nFft (default nFft). */
  readonly winLength?: number;
  /** Samples from frame to frame (default: half of winLength). */
  readonly hopLength?: number;
  /** 2 for power (default), 1 for magnitude. */
  readonly power?: number;
  /** Whether frames have their sample in the middle, with the sound mirrored at its ends (default true), or begin with it. */
  readonly center?: boolean;
}

/** Complex numbers by frame and frequency: of frequency k at frame t, at t · bins + k. */
export interface Stft {
  readonly re: Float64Array;
  readonly im: Float64Array;
  /** (frames, nFft / 2 + 1) */
  readonly shape: readonly [number, number];
}

/**
 * Short-time Fourier transform with Hann's window (periodic), as
 * [torch.stft](https://pytorch.org/docs/stable/generated/torch.stft.html).
 *
 * @throws if the sound is shorter than a frame, or than its mirrored ends
 */
export function stft(samples: ArrayLike<number>, options: Omit<SpectrogramOptions, "power"> = {}): Stft {
  const op = "stft";
  const { nFft = 400, winLength = nFft, hopLength = Math.floor(winLength / 2), center = true } = options;
  checkWhole(op, "nFft", nFft);
  checkWhole(op, "winLength", winLength);
  checkWhole(op, "hopLength", hopLength);
  if (winLength > nFft) fail({ op, expected: `winLength of at most nFft, ${nFft}`, got: `${winLength}` });
  const pad = center ? Math.floor(nFft / 2) : 0;
  const { length } = samples;
  if (length <= pad || length + 2 * pad < nFft) {
    fail({
      op,
      expected: `more than ${Math.max(pad, nFft - 2 * pad - 1)} samples, for nFft ${nFft}`,
      got: `${length}`,
    });
  }
  const at = (i: number) => samples[i < 0 ? -i : i >= length ? 2 * (length - 1) - i : i];
  const window = hann(winLength, nFft);
  const frames = 1 + Math.floor((length + 2 * pad - nFft) / hopLength);
  const bins = Math.floor(nFft / 2) + 1;
  const [re, im] = [new Float64Array(frames * bins), new Float64Array(frames * bins)];
  const fourier = transform(nFft);
  const frame = new Float64Array(nFft);
  const nothing = new Float64Array(nFft);
  for (let t = 0; t < frames; t++) {
    for (let i = 0; i < nFft; i++) frame[i] = at(t * hopLength + i - pad) * window[i];
    const [a, b] = fourier(frame, nothing);
    re.set(a.subarray(0, bins), t * bins);
    im.set(b.subarray(0, bins), t * bins);
  }
  return { re, im, shape: [frames, bins] };
}

/** |STFT| to a power. */
export function spectrogram(samples: ArrayLike<number>, { power = 2, ...options }: SpectrogramOptions = {}): Frames {
  const { re, im, shape } = stft(samples, options);
  return { data: Float32Array.from(re, (a, i) => (a * a + im[i] * im[i]) ** (power / 2)), shape };
}

/** Options of {@link melSpectrogram}; names and defaults of torchaudio. */
export interface MelOptions extends SpectrogramOptions {
  readonly sampleRate: number;
  /** How many bands (default 128). */
  readonly nMels?: number;
  /** Lowest frequency (default 0). */
  readonly fMin?: number;
  /** Highest frequency (default: half the sample rate). */
  readonly fMax?: number;
  /** The scale: that of HTK (default), or Slaney's as in librosa. */
  readonly melScale?: "htk" | "slaney";
  /** `"slaney"`: bands of equal area; default: of equal height. */
  readonly norm?: "slaney" | null;
}

/** Energy in bands that lie as the ear hears them, (frames, nMels). */
export function melSpectrogram(samples: ArrayLike<number>, options: MelOptions): Frames {
  const {
    data,
    shape: [frames, bins],
  } = spectrogram(samples, options);
  const { nMels = 128 } = options;
  const bands = melBands(bins, options);
  const mel = new Float32Array(frames * nMels);
  for (let t = 0; t < frames; t++) {
    for (let m = 0; m < nMels; m++) {
      let sum = 0;
      for (let k = 0; k < bins; k++) sum += data[t * bins + k] * bands[m][k];
      mel[t * nMels + m] = sum;
    }
  }
  return { data: mel, shape: [frames, nMels] };
}

/** ln(mel + 1e-6), as torchaudio's `log_mels`. */
export function logMel(samples: ArrayLike<number>, options: MelOptions): Frames {
  const { data, shape } = melSpectrogram(samples, options);
  return { data: data.map((v) => Math.log(v + 1e-6)), shape };
}

/**
 * Mel-frequency cepstral coefficients: the orthonormal DCT-II of {@link logMel}, its first `nMfcc` (default 40).
 *
 * @throws if nMfcc > nMels
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

/**
 * Discrete Fourier transform of any length: halved as long as it is even (Cooley and Tukey), by definition from there.
 *
 * @returns real and imaginary parts
 */
export function fft(re: ArrayLike<number>, im: ArrayLike<number>): [re: Float64Array, im: Float64Array] {
  return transform(re.length)(re, im);
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

/** Hann's window, periodic, in the middle of `size`. */
function hann(length: number, size: number): Float64Array {
  const window = new Float64Array(size);
  const before = Math.floor((size - length) / 2);
  for (let i = 0; i < length; i++) window[before + i] = 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / length);
  return window;
}

/** The weights of each band: triangles over the frequencies. */
function melBands(bins: number, options: MelOptions): Float64Array[] {
  const { sampleRate, nMels = 128, fMin = 0, fMax = sampleRate / 2, melScale = "htk", norm = null } = options;
  checkWhole("melSpectrogram", "nMels", nMels);
  if (!(sampleRate > 0 && fMin >= 0 && fMax > fMin)) {
    fail({
      op: "melSpectrogram",
      expected: "a sampleRate, and 0 ≤ fMin < fMax",
      got: `${sampleRate}, ${fMin} and ${fMax}`,
    });
  }
  const { to, from } =
    SCALES[melScale] ?? fail({ op: "melSpectrogram", expected: 'melScale "htk" or "slaney"', got: `"${melScale}"` });
  const [low, high] = [to(fMin), to(fMax)];
  const corner = Array.from({ length: nMels + 2 }, (_, i) => from(low + ((high - low) * i) / (nMels + 1)));
  return Array.from({ length: nMels }, (_, m) => {
    const [left, middle, right] = corner.slice(m, m + 3);
    const area = norm === "slaney" ? 2 / (right - left) : 1;
    return Float64Array.from({ length: bins }, (_, k) => {
      const f = (k * sampleRate) / 2 / (bins - 1);
      return area * Math.max(0, Math.min((f - left) / (middle - left), (right - f) / (right - middle)));
    });
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

/** The Fourier transform of a length, with its table of roots. */
function transform(N: number): (re: ArrayLike<number>, im: ArrayLike<number>) => [Float64Array, Float64Array] {
  const cos = Float64Array.from({ length: N }, (_, i) => Math.cos((2 * Math.PI * i) / N));
  const sin = Float64Array.from({ length: N }, (_, i) => -Math.sin((2 * Math.PI * i) / N));
  return (re, im) => {
    const [a, b] = [new Float64Array(N), new Float64Array(N)];
    /** Of every `stride`th number from `from` on, n of them, to `to`. */
    const part = (n: number, from: number, stride: number, to: number): void => {
      if (n % 2 !== 0) {
        for (let k = 0; k < n; k++) {
          for (let i = 0; i < n; i++) {
            const [x, y, turn] = [re[from + i * stride], im[from + i * stride], ((k * i) % n) * stride];
            a[to + k] += x * cos[turn] - y * sin[turn];
            b[to + k] += x * sin[turn] + y * cos[turn];
          }
        }
        return;
      }
      const half = n / 2;
      part(half, from, 2 * stride, to);
      part(half, from + stride, 2 * stride, to + half);
      for (let k = to; k < to + half; k++) {
        const turn = (k - to) * stride;
        const x = a[k + half] * cos[turn] - b[k + half] * sin[turn];
        const y = a[k + half] * sin[turn] + b[k + half] * cos[turn];
        a[k + half] = a[k] - x;
        b[k + half] = b[k] - y;
        a[k] += x;
        b[k] += y;
      }
    };
    part(N, 0, 1, 0);
    return [a, b];
  };
}
