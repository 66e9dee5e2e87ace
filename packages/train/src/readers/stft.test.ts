import { describe, expect, it } from "vitest";
import { randomStream } from "../random.js";
import { hammingWindow, hannWindow, istft, type Stft, spectrogram, stft } from "./stft.js";

const random = randomStream(2);
const noise = Float32Array.from({ length: 700 }, () => random() - 0.5);
const near = (a: ArrayLike<number>, b: ArrayLike<number>, digits = 6) => {
  expect(a.length).toBe(b.length);
  for (let i = 0; i < a.length; i++) expect(a[i]).toBeCloseTo(b[i], digits);
};

it("windows are PyTorch's", () => {
  near(hannWindow(5), [0, 0.345491503, 0.904508497, 0.904508497, 0.345491503], 8);
  near(hannWindow(5, { periodic: false }), [0, 0.5, 1, 0.5, 0]);
  near(hammingWindow(4), [0.08, 0.54, 1, 0.54]);
  near(hammingWindow(4, { periodic: false }), [0.08, 0.77, 0.77, 0.08]);
  near(hammingWindow(4, { alpha: 0.6, beta: 0.4 }), [0.2, 0.6, 1, 0.6]);
  expect([hannWindow(1), hannWindow(1, { periodic: false }), hannWindow(0)].map((w) => [...w])).toEqual([[1], [1], []]);
  expect(() => hammingWindow(2.5)).toThrow("hammingWindow: expected length to be a whole number, 0 or more, got 2.5");
});

it("stft by definition: windows, hops, mirrored ends", () => {
  const { re, im, shape } = stft(noise, { nFft: 40, winLength: 30, hopLength: 7 });
  expect(shape).toEqual([1 + 700 / 7, 21]);
  const at = (i: number) => noise[i < 0 ? -i : i >= 700 ? 1398 - i : i];
  for (const [t, k] of [
    [0, 3],
    [50, 20],
    [100, 7],
  ]) {
    let [x, y] = [0, 0];
    for (let i = 0; i < 40; i++) {
      const w = i >= 5 && i < 35 ? Math.sin((Math.PI * (i - 5)) / 30) ** 2 : 0;
      const turn = (-2 * Math.PI * k * i) / 40;
      x += w * at(t * 7 + i - 20) * Math.cos(turn);
      y += w * at(t * 7 + i - 20) * Math.sin(turn);
    }
    expect(re[t * 21 + k]).toBeCloseTo(x, 9);
    expect(im[t * 21 + k]).toBeCloseTo(y, 9);
  }
  expect(stft(noise, { nFft: 40, center: false }).shape).toEqual([34, 21]);
});

// From PyTorch 1.13, of x below, in doubles. istft is of another spectrum, that of no sound: each frequency k times (1 + i / 2) · (3k mod 5) / 4.
describe("as torch.stft and torch.istft", () => {
  const x = Array.from({ length: 40 }, (_, i) => (((i * i * 7) % 23) - 11) / 8);
  const changed = ({ re, im, shape }: Stft): Stft => {
    const gain = (i: number) => (((i % shape[1]) * 3) % 5) / 4;
    return {
      re: re.map((v, i) => gain(i) * (v - im[i] / 2)),
      im: im.map((v, i) => gain(i) * (v + re[i] / 2)),
      shape,
    };
  };
  const cases = [
    {
      options: { nFft: 8, hopLength: 3, winLength: 6, window: hammingWindow(6) },
      shape: [14, 5],
      re: [1.815, -0.896257845, -0.3875, 0.896257845, -1.04],
      im: [0, 0.816785624, -0.6575, -0.113214376, 0],
      length: 39,
      first: [-0.716358152, 0.158225487, -0.233774581, 0.654120801],
      last: [-0.243178594, 0.265356385, -0.0677498],
    },
    {
      options: { nFft: 9, hopLength: 4, winLength: 6, window: hammingWindow(6) },
      shape: [10, 5],
      re: [1.11, -0.413270488, -0.313620301, 0.511875, -0.339984211],
      im: [0, -1.523650722, 1.589640301, -1.144236065, 0.460005692],
      length: 37,
      first: [-0.683209536, 0.159935536, -0.189502295, 0.722704506],
      last: [0.665660853, 0.381258805, -0.23763209],
    },
    {
      options: { nFft: 8, hopLength: 2, window: new Array(8).fill(1), center: false },
      shape: [17, 5],
      re: [4.875, 1.142766953, -1.875, -2.392766953, 0.375],
      im: [0, 0.603553391, 0.25, 0.103553391, 0],
      length: 40,
      first: [-1.438299146, -0.116503343, -0.986524424, 0.570127262],
      last: [0.328957826, -0.534174755, 0.572614679],
    },
  ];
  it.each(cases)("nFft $options.nFft, hop $options.hopLength", ({ options, shape, re, im, length, first, last }) => {
    const spectrum = stft(x, options);
    expect(spectrum.shape).toEqual(shape);
    near(spectrum.re.subarray(25, 30), re, 8); // frame 5
    near(spectrum.im.subarray(25, 30), im, 8);
    const sound = istft(changed(spectrum), options);
    expect(sound.length).toBe(length);
    near(sound.subarray(0, 4), first);
    near(sound.subarray(-3), last);
    expect(istft(changed(spectrum), { ...options, length: 30 })).toEqual(sound.subarray(0, 30));
  });
  it("asked for more samples than frames say", () => {
    const [first] = cases;
    near(
      istft(changed(stft(x, first.options)), { ...first.options, length: 40 }).subarray(-2),
      [-0.0677498, 0.704542354],
    );
    const hann = { nFft: 8, hopLength: 4, length: 50 };
    near(istft(stft(x, hann), hann).subarray(38), [0, 1.25, 0, 0.5, -0.125, 1, 0, 0, 0, 0, 0, 0]);
  });
});

it.each([
  {},
  { nFft: 64 },
  { nFft: 41, hopLength: 13 },
  { nFft: 64, winLength: 50, hopLength: 20, window: hammingWindow(50) },
  { nFft: 50, hopLength: 50, window: new Array(50).fill(2), center: false },
  { nFft: 1, hopLength: 1 },
])("istft gives the sound back, bit for bit: %j", (options) => {
  expect(istft(stft(noise, options), { ...options, length: 700 })).toEqual(noise);
});

it("says what does not fit", () => {
  expect(() => stft([1, 2], { nFft: 40 })).toThrow("stft: expected more than 20 samples, for nFft 40, got 2");
  expect(() => stft([])).toThrow("more than 200 samples, for nFft 400, got 0");
  expect(() => stft([], { center: false })).toThrow("more than 399 samples, for nFft 400, got 0");
  expect(stft(noise.subarray(0, 41), { nFft: 41, center: false }).shape).toEqual([1, 21]);
  expect(() => stft(noise, { nFft: 8, window: hannWindow(6) })).toThrow(
    "a window of winLength, 8, numbers, got 6. Give winLength: 6, too",
  );
  expect(() => stft(noise, { nFft: 8, winLength: 9 })).toThrow("winLength of at most nFft, 8, got 9");
  expect(stft(noise, { nFft: 1 }).shape).toEqual([700, 1]); // a hop of half a sample is one of 1

  const spectrum = stft(noise, { nFft: 8, hopLength: 10 });
  expect(() => istft(spectrum, { hopLength: 10 })).toThrow(
    "windows that are nowhere all zero, got 0, the sum of their",
  );
  const uncentred = { nFft: 8, hopLength: 4, center: false };
  expect(() => istft(stft(noise, uncentred), uncentred)).toThrow("at sample 0 (hopLength 4, center false)"); // Hann's begins with 0
  expect(() => istft(spectrum, { nFft: 10 })).toThrow("6 frequencies, for nFft 10, got 5");
  expect(() => istft({ ...spectrum, re: spectrum.re.slice(1) })).toThrow(
    "re and im of 71 · 5 numbers, got 354 and 355",
  );
  expect(() => istft({ ...spectrum, shape: [0, 5] })).toThrow("frames to be a whole number, 1 or more, got 0");
  expect(() => istft(spectrum, { length: -1 })).toThrow("length to be a whole number, 0 or more, got -1");
  expect(() => spectrogram(noise, { power: 0 })).toThrow("power above 0, got 0");
});

it("a tone is where it belongs", () => {
  const tone = Float32Array.from({ length: 2000 }, (_, i) => Math.sin((2 * Math.PI * 1000 * i) / 8000));
  const { data, shape } = spectrogram(tone, { nFft: 80 });
  const frame = data.subarray(12 * shape[1], 13 * shape[1]);
  expect(frame.indexOf(Math.max(...frame))).toBe(10); // 1000 Hz of 100 Hz each
  expect(frame[10]).toBeCloseTo(400, 2); // (A · N/2 · mean of the window)² = (40 · 0.5)²
});
