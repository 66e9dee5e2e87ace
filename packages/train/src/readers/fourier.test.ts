import { describe, expect, it } from "vitest";
import { randomStream } from "../random.js";
import { fft, ifft, irfft, rfft } from "./fourier.js";

const random = randomStream(2);
const numbers = (length: number) => Float64Array.from({ length }, () => random() - 0.5);
const near = (a: ArrayLike<number>, b: ArrayLike<number>, digits = 10) => {
  expect(a.length).toBe(b.length);
  for (let i = 0; i < a.length; i++) expect(a[i]).toBeCloseTo(b[i], digits);
};

/** By definition. */
function dft(re: ArrayLike<number>, im: ArrayLike<number>): [Float64Array, Float64Array] {
  const n = re.length;
  const [a, b] = [new Float64Array(n), new Float64Array(n)];
  for (let k = 0; k < n; k++) {
    for (let i = 0; i < n; i++) {
      const turn = (-2 * Math.PI * ((k * i) % n)) / n;
      a[k] += re[i] * Math.cos(turn) - im[i] * Math.sin(turn);
      b[k] += re[i] * Math.sin(turn) + im[i] * Math.cos(turn);
    }
  }
  return [a, b];
}

describe.each([1, 2, 3, 4, 5, 8, 12, 25, 50, 97, 100, 128, 400])("of length %i", (n) => {
  const [re, im] = [numbers(n), numbers(n)];
  it("fft is the DFT by definition, ifft turns it back, and the input stays", () => {
    const kept = re.slice();
    const [a, b] = fft(re, im);
    const [x, y] = dft(re, im);
    near(a, x);
    near(b, y);
    const [p, q] = ifft(a, b);
    near(p, re);
    near(q, im);
    expect(re).toEqual(kept);
  });
  it("rfft is the lower half of it, and irfft turns it back", () => {
    const [a, b] = rfft(re);
    const [x, y] = dft(re, new Float64Array(n));
    near(a, x.subarray(0, Math.floor(n / 2) + 1));
    near(b, y.subarray(0, Math.floor(n / 2) + 1));
    near(irfft(a, b, { n }), re);
  });
});

it("irfft takes no imaginary part where there can be none, as PyTorch", () => {
  near(irfft([1, 3, 0.5], [2, -1, 4]), [1.875, 0.625, -1.125, -0.375]);
  near(irfft([1, 3, 0.5], [2, -1, 4], { n: 5 }), [1.6, -0.151016803, 1.047787533, -2.465821521, 0.969050792], 8);
});

it("long ones, of a prime length too; many lengths one after the other, and the first again", () => {
  for (const n of [2 ** 17, 20_011]) {
    // A wave of frequency 5 is 5's alone.
    const [a, b] = rfft(Float64Array.from({ length: n }, (_, i) => Math.cos((2 * Math.PI * 5 * i) / n)));
    expect(a[5] / n).toBeCloseTo(0.5, 10);
    a[5] = b[5] = 0;
    expect(Math.max(...a.subarray(0, 5000).map(Math.abs)) / n).toBeLessThan(1e-11);
    expect(Math.max(...b.subarray(0, 5000).map(Math.abs)) / n).toBeLessThan(1e-11);
  }
  const x = numbers(48);
  const first = rfft(x);
  for (let n = 1; n < 40; n++) rfft(numbers(n));
  expect(rfft(x)).toEqual(first);
});

it("nothing, and what does not fit", () => {
  expect(fft([], [])).toEqual([new Float64Array(0), new Float64Array(0)]);
  expect(ifft([], [])).toEqual([new Float64Array(0), new Float64Array(0)]);
  expect(() => rfft([])).toThrow("rfft: expected x of at least one number, got none");
  expect(() => fft([1, 2], [1])).toThrow("fft: expected re and im of one length, got 2 and 1");
  expect(() => irfft([1, 2], [1, 2], { n: 5 })).toThrow("re and im of 3 frequencies, for n 5, got 2");
  expect(() => irfft([1], [1])).toThrow("n to be a whole number, 1 or more, got 0");
});
