/** Speech in noise: voices made of harmonics and hiss where no recordings are given; noises of several kinds; both mixed. */
import { type Random, random } from "./random.js";
import { joinDigits, type Recordings } from "./spoken-data.js";

export const RATE = 8000;
const LENGTH = 2.5 * RATE;

/** 2.5 seconds at 8 kHz; the first 0.2 are noise alone. */
export interface Mixture {
  readonly clean: Float32Array;
  readonly noisy: Float32Array;
}

/** @param voice speech of any length @param level signal to noise, dB */
export function mix(voice: Float32Array, level: number, source: Random): Mixture {
  const clean = new Float32Array(LENGTH);
  clean.set(voice.subarray(0, LENGTH - 0.2 * RATE), 0.2 * RATE);
  const noise = drawNoise(source);
  const power = (samples: Float32Array) => samples.reduce((sum, value) => sum + value * value, 0) / LENGTH;
  const gain = Math.sqrt(power(clean) / power(noise)) * 10 ** (-level / 20);
  const loudness = source.uniform(0.05, 0.15) / Math.sqrt(power(clean));
  return {
    clean: clean.map((value) => loudness * value),
    noisy: clean.map((value, t) => loudness * (value + gain * noise[t])),
  };
}

/** Strings of spoken digits, or invented words: as many as asked for, of the training or the test speech. */
export function voices(
  recordings: Recordings | null,
  part: "training" | "test",
  count: number,
  seed: number,
): Float32Array[] {
  const source = random(seed);
  if (!recordings) return Array.from({ length: count }, () => babble(source));
  return joinDigits(recordings[part], count, RATE, source).map(({ samples }) => samples);
}

// ---------------------------------------------------------------------------------------------

/** Syllables: a vowel, which is harmonics of a gliding pitch under three formants, and often a hiss before it. */
function babble(source: Random): Float32Array {
  const samples = new Float32Array(LENGTH);
  const voice = source.uniform(90, 240);
  let phase = 0;
  for (let at = 0; at < LENGTH; ) {
    if (source.below(3) === 0) {
      const [hiss, high] = [Math.round(source.uniform(0.04, 0.1) * RATE), source.uniform(0.5, 0.95)];
      let last = 0;
      for (let t = 0; t < hiss && at < LENGTH; t++, at++) {
        const white = source.normal();
        samples[at] = 0.12 * (white - high * last) * Math.sin((Math.PI * t) / hiss);
        last = white;
      }
    }
    const length = Math.round(source.uniform(0.1, 0.28) * RATE);
    const formants = [source.uniform(250, 850), source.uniform(850, 2300), source.uniform(2300, 3300)];
    const harmonics = Array.from({ length: Math.floor(3800 / voice) }, (_, k) =>
      formants.reduce((sum, f, n) => sum + Math.exp(-(((voice * (k + 1) - f) / (80 + 40 * n)) ** 2)) / (n + 1), 0.01),
    );
    const [from, to] = [voice * source.uniform(0.85, 1.2), voice * source.uniform(0.85, 1.2)];
    for (let t = 0; t < length && at < LENGTH; t++, at++) {
      phase += (2 * Math.PI * (from + ((to - from) * t) / length)) / RATE;
      // sin kφ = 2 cos φ · sin (k − 1)φ − sin (k − 2)φ
      let [sound, before, sine] = [0, 0, Math.sin(phase)];
      const twice = 2 * Math.cos(phase);
      for (const size of harmonics) {
        sound += size * sine;
        const next = twice * sine - before;
        before = sine;
        sine = next;
      }
      samples[at] = sound * Math.min(1, t / 160, (length - t) / 400);
    }
    at += Math.round(source.uniform(0, 0.15) * RATE);
  }
  return samples;
}

/** Hiss, rumble, hum, what swells and fades, and crackle: two of them. */
function drawNoise(source: Random): Float32Array {
  const [first, second, share] = [source.pick(NOISES)(source), source.pick(NOISES)(source), source.uniform(0.2, 1)];
  return Float32Array.from({ length: LENGTH }, (_, t) => first(t) + share * second(t));
}

/** Each of about unit power. */
const NOISES: readonly ((source: Random) => (t: number) => number)[] = [
  (source) => () => source.normal(),
  (source) => {
    const keep = source.uniform(0.8, 0.98);
    let level = 0;
    return () => {
      level = keep * level + Math.sqrt(1 - keep * keep) * source.normal();
      return level;
    };
  },
  (source) => {
    const [pitch, start] = [source.uniform(45, 130), source.uniform(0, 6)];
    const sizes = Array.from({ length: 8 }, () => source.uniform(0, 0.7));
    return (t) =>
      sizes.reduce((sum, size, k) => sum + size * Math.sin((k + 1) * ((2 * Math.PI * pitch * t) / RATE + start)), 0);
  },
  (source) => {
    const [rate, start] = [source.uniform(0.5, 3), source.uniform(0, 6)];
    return (t) => 1.4 * Math.sin((Math.PI * rate * t) / RATE + start) * source.normal();
  },
  (source) => {
    let level = 0;
    return () => {
      level = source.uniform() < 0.002 ? source.uniform(5, 12) : 0.9 * level;
      return level * source.normal() + 0.1 * source.normal();
    };
  },
];
