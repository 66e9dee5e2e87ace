/** Recordings of digits: those of the Free Spoken Digit Dataset, or tones that stand for them; and what networks hear of a sound. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { type Tensor, tensor } from "@nn/tensor";
import { type Dataset, type Frames, logMel, readWav } from "@nn/train";
import { readBytes, requireFolder, wrong } from "./files.js";
import { type Random, random } from "./random.js";

export interface Recording {
  readonly digit: number;
  readonly samples: Float32Array;
}

export interface Recordings {
  readonly training: readonly Recording[];
  readonly test: readonly Recording[];
  readonly speakers: readonly string[];
  /** Samples a second. */
  readonly rate: number;
}

/** Takes 0 to 4 of each digit and speaker are the official test set. @throws UserError */
export function readRecordings(folder: string): Recordings {
  const rest = {
    expected: "the Free Spoken Digit Dataset",
    hint: "Give its folder, with recordings in it, after --data",
  };
  const recordings = join(folder, "recordings");
  requireFolder(recordings, rest);
  const [training, test]: Recording[][] = [[], []];
  const speakers = new Set<string>();
  let rate = 0;
  for (const name of readdirSync(recordings).sort()) {
    const [, digit, speaker, take] = /^(\d)_(\w+)_(\d+)\.wav$/.exec(name) ?? [];
    if (take === undefined) continue;
    const file = join(recordings, name);
    const { sampleRate, channels } = readWav(readBytes(file, rest));
    if (rate !== 0 && sampleRate !== rate)
      wrong(file, { got: `it has ${sampleRate} Hz`, ...rest, expected: `${rate}` });
    rate = sampleRate;
    speakers.add(speaker);
    (Number(take) < 5 ? test : training).push({ digit: Number(digit), samples: channels[0] });
  }
  if (training.length < 32 || test.length === 0) {
    wrong(recordings, { got: `there are ${training.length + test.length} recordings in it`, ...rest });
  }
  return { training, test, speakers: [...speakers], rate };
}

/** Two tones, one after the other, for each digit, of a pitch, length and loudness of their own each time, in noise. */
export function drawTones(seed: number, takes = 16): Recordings {
  const [source, rate] = [random(seed), 8000];
  const draw = (digit: number): Recording => {
    const pitch = source.uniform(0.94, 1.06);
    const [first, second] = [400 + 500 * (digit % 4), 600 + 500 * Math.floor(digit / 4)];
    const [length, loudness] = [Math.round(source.uniform(0.12, 0.24) * rate), source.uniform(0.1, 0.4)];
    let phase = 0;
    const samples = Float32Array.from({ length }, (_, t) => {
      phase += (2 * Math.PI * pitch * (t < length / 2 ? first : second)) / rate;
      return loudness * Math.sin(phase) * Math.sin((Math.PI * t) / length) + 0.005 * source.normal();
    });
    return { digit, samples };
  };
  const all = (count: number) => Array.from({ length: 10 * count }, (_, i) => draw(i % 10));
  return { training: all(takes), test: all(5), speakers: ["tones"], rate };
}

/** A string of digits in one sound. */
export interface Spoken {
  readonly digits: readonly number[];
  readonly samples: Float32Array;
}

/** Strings of 3 to 6 of the recordings, whoever speaks, with 50 to 300 ms of faint noise before, between and behind. */
export function joinDigits(from: readonly Recording[], count: number, rate: number, source: Random): Spoken[] {
  const gap = () => Float32Array.from({ length: source.uniform(0.05, 0.3) * rate }, () => 0.001 * source.normal());
  return Array.from({ length: count }, () => {
    const chosen = Array.from({ length: 3 + source.below(4) }, () => source.pick(from));
    const parts = [gap(), ...chosen.flatMap(({ samples }) => [samples, gap()])];
    const samples = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of parts) {
      samples.set(part, at);
      at += part.length;
    }
    return { digits: chosen.map(({ digit }) => digit), samples };
  });
}

/** What was said, for CTC: digit + 1, and 0 behind the end, (N, 6); and how many (N). */
export interface Labels {
  readonly values: Tensor;
  readonly lengths: Tensor;
}

/** Batches of what `toSounds` makes of sounds, with their labels. */
export function withLabels(
  strings: readonly { readonly digits: readonly number[]; readonly sound: Frames }[],
  toSounds: (sounds: readonly Frames[]) => { x: Tensor; lengths: Tensor },
): Dataset {
  return {
    length: strings.length,
    batch(rows) {
      const list = Array.from(rows, (i) => strings[i]);
      const labels = list.flatMap(({ digits }) => Array.from({ length: 6 }, (_, i) => (digits[i] ?? -1) + 1));
      const values = tensor(Int32Array.from(labels), { shape: [list.length, 6] });
      const lengths = tensor(Int32Array.from(list, ({ digits }) => digits.length));
      return [toSounds(list.map(({ sound }) => sound)), { values, lengths }];
    },
  };
}

export const BANDS = 40;

/** Log-mel features (T, bands), every 10 ms at 8 kHz. */
export function hear(samples: Float32Array, rate: number): Frames {
  return logMel(samples, { sampleRate: rate, nFft: 256, winLength: 200, hopLength: 80, nMels: BANDS });
}

/**
 * From sounds to a batch, padded to a multiple of `multiple` steps, so that a compiled step is traced a few times and not for every
 * length. Each band has a mean of 0 and a deviation of 1 over the training set.
 */
export function collator(training: readonly Frames[], multiple: number) {
  const [mean, scale] = [new Float64Array(BANDS), new Float64Array(BANDS)];
  let frames = 0;
  for (const { data, shape } of training) {
    frames += shape[0];
    data.forEach((value, i) => {
      mean[i % BANDS] += value;
      scale[i % BANDS] += value * value;
    });
  }
  for (let k = 0; k < BANDS; k++) {
    mean[k] /= frames;
    scale[k] = 1 / Math.sqrt(scale[k] / frames - mean[k] ** 2 + 1e-9);
  }
  return (batch: readonly Frames[]): { x: Tensor; lengths: Tensor } => {
    const steps = multiple * Math.ceil(Math.max(...batch.map(({ shape }) => shape[0])) / multiple);
    const x = new Float32Array(batch.length * steps * BANDS);
    batch.forEach(({ data }, row) => {
      data.forEach((value, i) => {
        x[row * steps * BANDS + i] = (value - mean[i % BANDS]) * scale[i % BANDS];
      });
    });
    return {
      x: tensor(x, { shape: [batch.length, steps, BANDS] }),
      lengths: tensor(Int32Array.from(batch, ({ shape }) => shape[0])),
    };
  };
}
