import { expect, it } from "vitest";
import { randomStream } from "../random.js";
import { logMel, melSpectrogram, mfcc } from "./mel.js";
import { spectrogram } from "./stft.js";

const random = randomStream(2);
const noise = Float32Array.from({ length: 700 }, () => random() - 0.5);

it("mel bands by their corners; MFCC is the DCT of the logarithms", () => {
  const options = { sampleRate: 8000, nFft: 64, nMels: 6 };
  const power = spectrogram(noise, options);
  const mel = melSpectrogram(noise, options);
  expect(mel.shape).toEqual([power.shape[0], 6]);
  const toMel = (f: number) => 2595 * Math.log10(1 + f / 700);
  const corners = [...Array(8).keys()].map((i) => 700 * (10 ** ((toMel(4000) * i) / 7 / 2595) - 1));
  for (const m of [0, 3, 5]) {
    let sum = 0;
    for (let k = 0; k <= 32; k++) {
      const f = k * 125;
      const [l, c, r] = corners.slice(m, m + 3);
      sum += power.data[5 * 33 + k] * (f <= c ? Math.max(0, (f - l) / (c - l)) : Math.max(0, (r - f) / (r - c)));
    }
    expect(mel.data[5 * 6 + m]).toBeCloseTo(sum, 4);
  }
  const logs = logMel(noise, options);
  expect(logs.data[7]).toBeCloseTo(Math.log(mel.data[7] + 1e-6), 5);
  const { data } = mfcc(noise, { ...options, nMfcc: 3 });
  let [zeroth, second] = [0, 0];
  for (let m = 0; m < 6; m++) {
    zeroth += logs.data[5 * 6 + m] / Math.sqrt(6);
    second += logs.data[5 * 6 + m] * Math.cos((Math.PI * 2 * (m + 0.5)) / 6) * Math.sqrt(2 / 6);
  }
  expect(data[5 * 3]).toBeCloseTo(zeroth, 4);
  expect(data[5 * 3 + 2]).toBeCloseTo(second, 4);
  expect(() => mfcc(noise, { ...options, nMfcc: 7 })).toThrow("nMfcc of at most nMels, 6");
  // Slaney's scale: a line up to 1 kHz; bands of equal area
  const slaney = melSpectrogram(noise, { ...options, melScale: "slaney", norm: "slaney" });
  expect(slaney.data.every(Number.isFinite)).toBe(true);
  expect(() => melSpectrogram(noise, { ...options, fMin: 5000 })).toThrow("0 ≤ fMin < fMax");
  expect(() => melSpectrogram(noise, { ...options, fMax: Infinity })).toThrow("0 ≤ fMin < fMax");
  expect(() => melSpectrogram(noise, { ...options, norm: "area" as "slaney" })).toThrow('norm "slaney" or null');
});

it("frequencies of an odd nFft lie where they are", () => {
  const tone = Float32Array.from({ length: 410 }, (_, i) => Math.sin((2 * Math.PI * 20 * i) / 41));
  const options = { sampleRate: 8000, nFft: 41, nMels: 1, center: false };
  const f = (20 * 8000) / 41; // the highest
  const { data } = melSpectrogram(tone, { ...options, fMin: f - 1, fMax: f + 1 });
  const frame = spectrogram(tone, options).data;
  expect(data[0]).toBeCloseTo(frame[20], 0);
  expect(frame[20]).toBeGreaterThan(100);
});

it("bands of almost no width, between two frequencies, or of one frequency alone are finite", () => {
  for (const options of [
    { nFft: 80, nMels: 4, fMin: 1000, fMax: 1000 + 1e-12 },
    { nFft: 80, nMels: 30, fMin: 1000, fMax: 1000 + 1e-12 },
    { nFft: 80, nMels: 4, fMin: 0, fMax: Number.MIN_VALUE },
    { nFft: 32, nMels: 100 },
    { nFft: 1, nMels: 2 },
  ]) {
    for (const melScale of ["htk", "slaney"] as const) {
      for (const norm of ["slaney", null] as const) {
        const all = { sampleRate: 8000, melScale, norm, ...options };
        expect(logMel(noise, all).data.every(Number.isFinite)).toBe(true);
      }
    }
  }
});
