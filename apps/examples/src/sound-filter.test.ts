/** Filtering sound: what is kept comes back as it was, at its place; scores and files by cases that are known. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { istft, readWav, stft } from "@nn/train";
import { expect, it } from "vitest";
import { random } from "./random.js";
import { BINS, FRAMES, filter, HOP, spectralSubtraction, writeWav } from "./sound-filter.js";
import { siSnr } from "./sound-scores.js";

const wave = (rate: number, length = 20 * HOP) => Float32Array.from({ length }, (_, t) => 0.3 * Math.sin(rate * t));

it("gives the sound back where all gains are 1, and nothing where they are 0", () => {
  const [sound, ones] = [wave(0.2), new Float32Array(BINS).fill(1)];
  filter(sound, () => ones).forEach((value, t) => {
    expect(Math.abs(value - sound[t])).toBeLessThan(1e-6);
  });
  expect(filter(sound, () => new Float32Array(BINS)).every((value) => value === 0)).toBe(true);
});

it("keeps the frequencies that it is told to", () => {
  const [low, high] = [wave(0.3), wave(2)]; // bins 12 and 81 of 128
  const gains = Float32Array.from({ length: BINS }, (_, k) => Number(k < 40));
  const kept = filter(
    low.map((value, t) => value + high[t]),
    () => gains,
  );
  expect(siSnr(kept.subarray(HOP, 19 * HOP), low.subarray(HOP, 19 * HOP))).toBeGreaterThan(40);
});

it("is the inverse of the changed spectrum, as a whole sound has it", () => {
  const source = random(2);
  const sound = Float32Array.from({ length: 20 * HOP }, () => source.normal());
  const gains = Float32Array.from({ length: BINS }, (_, k) => 1 / (1 + (k % 7)));
  const { re, im, shape } = stft(sound, { ...FRAMES, center: true });
  const changed = (part: Float64Array) => part.map((v, i) => v * gains[i % BINS]);
  const whole = istft({ re: changed(re), im: changed(im), shape }, { ...FRAMES, center: true });
  filter(sound, () => gains).forEach((value, t) => {
    if (t >= HOP && t < 19 * HOP) expect(Math.abs(value - whole[t])).toBeLessThan(1e-5); // at the ends the whole sound is mirrored
  });
});

it("takes steady noise out by what it was at first", () => {
  const source = random(1);
  const clean = Float32Array.from({ length: 80 * HOP }, (_, t) => (t < 14 * HOP ? 0 : 0.3 * Math.sin(0.3 * t)));
  const noisy = clean.map((value) => value + 0.1 * source.normal());
  expect(siSnr(filter(noisy, spectralSubtraction(2)), clean) - siSnr(noisy, clean)).toBeGreaterThan(6);
});

it("SI-SNR is the ratio of what is along the clean sound to what is not, whatever the loudness", () => {
  const clean = Float32Array.of(1, -1, 1, -1);
  const across = Float32Array.of(1, 1, -1, -1);
  const answer = clean.map((value, i) => 5 * (value + 0.1 * across[i]));
  expect(siSnr(answer, clean)).toBeCloseTo(20, 4);
});

it("writes WAV files that can be read", () => {
  const folder = mkdtempSync(join(tmpdir(), "nn-wav-"));
  try {
    const sound = wave(0.2, 100);
    writeWav(join(folder, "a.wav"), sound, 8000);
    const { sampleRate, channels } = readWav(readFileSync(join(folder, "a.wav")));
    expect([sampleRate, channels.length, channels[0].length]).toEqual([8000, 1, 100]);
    channels[0].forEach((value, t) => {
      expect(Math.abs(value - sound[t])).toBeLessThan(1e-4);
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
