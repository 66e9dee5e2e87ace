// The discrete Fourier transform of any length, in double precision. Powers of two are halved (Cooley and Tukey, 1965); any other length is a
// convolution, which powers of two do (Bluestein, 1970).

import { fail } from "@nn/tensor";
import { checkWhole } from "../check.js";

/**
 * Discrete Fourier transform of complex numbers, of any length n in O(n log n), as
 * [torch.fft.fft](https://pytorch.org/docs/stable/generated/torch.fft.fft.html). Tables are kept for the lengths used last.
 *
 * @returns real and imaginary parts
 * @throws if re and im differ in length
 * @example
 * ```ts
 * const [re, im] = fft([1, 0, 0, 0], [0, 0, 0, 0]); // [1, 1, 1, 1], [0, 0, 0, 0]
 * ```
 */
export function fft(re: ArrayLike<number>, im: ArrayLike<number>): [re: Float64Array, im: Float64Array] {
  checkParts("fft", re, im);
  const [a, b] = [new Float64Array(re), new Float64Array(im)];
  transform(a.length)(a, b);
  return [a, b];
}

/**
 * Inverse of {@link fft}, as [torch.fft.ifft](https://pytorch.org/docs/stable/generated/torch.fft.ifft.html): sums are divided by the length.
 *
 * @returns real and imaginary parts
 * @throws if re and im differ in length
 * @example
 * ```ts
 * const [re, im] = ifft(...fft([1, 2, 3], [0, 0, 0])); // [1, 2, 3], [0, 0, 0]
 * ```
 */
export function ifft(re: ArrayLike<number>, im: ArrayLike<number>): [re: Float64Array, im: Float64Array] {
  checkParts("ifft", re, im);
  const n = re.length;
  const [a, b] = [new Float64Array(re), new Float64Array(im)];
  transform(n)(b, a); // with its parts exchanged it turns the other way round
  return [a.map((v) => v / n), b.map((v) => v / n)];
}

/**
 * Discrete Fourier transform of real numbers x (n), half the work of {@link fft}, as
 * [torch.fft.rfft](https://pytorch.org/docs/stable/generated/torch.fft.rfft.html).
 *
 * @returns real and imaginary parts of the frequencies 0 to n / 2, (floor(n / 2) + 1) each; the others are their conjugates
 * @throws if x is empty
 * @example
 * ```ts
 * const [re, im] = rfft(frame); // 256 samples, 129 frequencies
 * const magnitudes = re.map((v, k) => Math.hypot(v, im[k]));
 * ```
 */
export function rfft(x: ArrayLike<number>): [re: Float64Array, im: Float64Array] {
  const n = x.length;
  if (n === 0) fail({ op: "rfft", expected: "x of at least one number", got: "none" });
  const half = Math.floor(n / 2);
  if (n % 2 !== 0) {
    const [a, b] = fft(x, new Float64Array(n));
    return [a.slice(0, half + 1), b.slice(0, half + 1)];
  }
  // The even places E and the odd ones O as one complex sequence; then X = E + w O, w the n-th roots.
  const [a, b] = [new Float64Array(half + 1), new Float64Array(half + 1)];
  for (let i = 0; i < half; i++) {
    a[i] = x[2 * i];
    b[i] = x[2 * i + 1];
  }
  transform(half)(a, b);
  [a[half], b[half]] = [a[0], b[0]];
  const { cos, sin } = roots(n);
  for (let k = 0, j = half; k <= j; k++, j--) {
    const er = (a[k] + a[j]) / 2;
    const ei = (b[k] - b[j]) / 2;
    const or = (b[k] + b[j]) / 2;
    const oi = (a[j] - a[k]) / 2;
    const x = or * cos[k] - oi * sin[k];
    const y = or * sin[k] + oi * cos[k];
    a[j] = er - x;
    b[j] = y - ei;
    a[k] = er + x;
    b[k] = ei + y;
  }
  return [a, b];
}

/**
 * Inverse of {@link rfft}: n real numbers of their frequencies, as
 * [torch.fft.irfft](https://pytorch.org/docs/stable/generated/torch.fft.irfft.html). The imaginary part of frequency 0, and of n / 2, counts as 0.
 *
 * @param options.n how many numbers (default 2 · (frequencies − 1)); if odd, it must be given
 * @throws if re and im differ in length, or are not floor(n / 2) + 1 numbers
 * @example
 * ```ts
 * const [re, im] = rfft(frame);
 * const louder = irfft(re.map((v) => 2 * v), im.map((v) => 2 * v), { n: frame.length });
 * ```
 */
export function irfft(
  re: ArrayLike<number>,
  im: ArrayLike<number>,
  { n = 2 * (re.length - 1) }: { readonly n?: number } = {},
): Float64Array {
  checkParts("irfft", re, im);
  const half = Math.floor(checkWhole("irfft", "n", n) / 2);
  if (re.length !== half + 1) {
    fail({ op: "irfft", expected: `re and im of ${half + 1} frequencies, for n ${n}`, got: `${re.length}` });
  }
  if (n % 2 !== 0) {
    const all = (part: ArrayLike<number>, sign: number) =>
      Float64Array.from({ length: n }, (_, k) => (k <= half ? part[k] : sign * part[n - k]));
    return ifft(all(re, 1), all(im, -1))[0];
  }
  const { cos, sin } = roots(n);
  const [a, b] = [new Float64Array(half), new Float64Array(half)];
  a[0] = (re[0] + re[half]) / 2;
  b[0] = (re[0] - re[half]) / 2;
  for (let k = 1; k < half; k++) {
    const j = half - k;
    const x = (re[k] - re[j]) / 2;
    const y = (im[k] + im[j]) / 2;
    a[k] = (re[k] + re[j]) / 2 - (y * cos[k] - x * sin[k]);
    b[k] = (im[k] - im[j]) / 2 + (x * cos[k] + y * sin[k]);
  }
  transform(half)(b, a);
  const x = new Float64Array(n);
  for (let i = 0; i < half; i++) {
    x[2 * i] = a[i] / half;
    x[2 * i + 1] = b[i] / half;
  }
  return x;
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

function checkParts(op: string, re: ArrayLike<number>, im: ArrayLike<number>): void {
  if (re.length !== im.length) fail({ op, expected: "re and im of one length", got: `${re.length} and ${im.length}` });
}

/** Transforms numbers of one length in their place. */
type Transform = (re: Float64Array, im: Float64Array) => void;

/** The transform of a length. */
const transform = /* @__PURE__ */ remembered((n): Transform => ((n & (n - 1)) === 0 ? halving(n) : convolving(n)));

/** e^(−2πik / n) for k from 0 to n / 2. */
const roots = /* @__PURE__ */ remembered((n) => {
  const angles = Float64Array.from({ length: Math.floor(n / 2) + 1 }, (_, k) => (2 * Math.PI * k) / n);
  return { cos: angles.map(Math.cos), sin: angles.map((v) => -Math.sin(v)) };
});

/** `make`, with what it made for the eight lengths used last; long ones are not kept, for their memory. */
function remembered<T>(make: (n: number) => T): (n: number) => T {
  const known = new Map<number, T>();
  return (n) => {
    const made = known.get(n) ?? make(n);
    known.delete(n);
    if (n <= 2 ** 16) known.set(n, made);
    if (known.size > 8) known.delete(known.keys().next().value!);
    return made;
  };
}

/** Of a power of two: pairs, then pairs of pairs, …, from numbers whose places have their bits reversed. */
function halving(n: number): Transform {
  const { cos, sin } = roots(n);
  const place = new Uint32Array(n);
  for (let i = 1; i < n; i++) place[i] = (place[i >> 1] >> 1) | (i % 2 === 0 ? 0 : n >> 1);
  return (re, im) => {
    for (let i = 0; i < n; i++) {
      const j = place[i];
      if (i >= j) continue;
      const x = re[i];
      re[i] = re[j];
      re[j] = x;
      const y = im[i];
      im[i] = im[j];
      im[j] = y;
    }
    for (let half = 1; half < n; half *= 2) {
      const stride = n / (2 * half);
      for (let from = 0; from < n; from += 2 * half) {
        for (let k = 0; k < half; k++) {
          const i = from + k;
          const j = i + half;
          const turn = k * stride;
          const x = re[j] * cos[turn] - im[j] * sin[turn];
          const y = re[j] * sin[turn] + im[j] * cos[turn];
          re[j] = re[i] - x;
          im[j] = im[i] - y;
          re[i] += x;
          im[i] += y;
        }
      }
    }
  };
}

/** Of any length: as jk = (j² + k² − (k − j)²) / 2, the numbers times a chirp are convolved with the chirp turned round, and that times the chirp. */
function convolving(n: number): Transform {
  const size = 2 ** Math.ceil(Math.log2(2 * n - 1));
  const power = transform(size);
  // The square is taken modulo a whole turn, so that the angle is small and exact.
  const angles = Float64Array.from({ length: n }, (_, i) => (Math.PI * ((i * i) % (2 * n))) / n);
  const [cos, sin] = [angles.map(Math.cos), angles.map(Math.sin)];
  const [chirpRe, chirpIm] = [new Float64Array(size), new Float64Array(size)];
  for (let i = 0; i < n; i++) {
    chirpRe[i] = chirpRe[(size - i) % size] = cos[i] / size;
    chirpIm[i] = chirpIm[(size - i) % size] = sin[i] / size;
  }
  power(chirpRe, chirpIm);
  const [a, b] = [new Float64Array(size), new Float64Array(size)];
  return (re, im) => {
    for (let i = 0; i < size; i++) {
      a[i] = i < n ? re[i] * cos[i] + im[i] * sin[i] : 0;
      b[i] = i < n ? im[i] * cos[i] - re[i] * sin[i] : 0;
    }
    power(a, b);
    for (let i = 0; i < size; i++) {
      const x = a[i] * chirpRe[i] - b[i] * chirpIm[i];
      b[i] = a[i] * chirpIm[i] + b[i] * chirpRe[i];
      a[i] = x;
    }
    power(b, a); // back again
    for (let i = 0; i < n; i++) {
      re[i] = a[i] * cos[i] + b[i] * sin[i];
      im[i] = b[i] * cos[i] - a[i] * sin[i];
    }
  };
}
