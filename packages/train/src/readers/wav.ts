// WAV files: RIFF with PCM of 8, 16, 24 or 32 bits, or floats of 32 or 64. Written are PCM of 16 and 24 bits, and floats of 32.

import { fail } from "@nn/tensor";
import { checkWhole } from "../check.js";
import { type FileBytes, hex, viewOf } from "./bytes.js";

/** Sound. */
export interface Wav {
  /** Samples per second. */
  readonly sampleRate: number;
  /** Samples of each channel; whole numbers are divided by their greatest, so they lie in [−1, 1). */
  readonly channels: readonly Float32Array[];
}

/**
 * Reads a WAV file.
 *
 * @throws if it is something else, cut off, or packed otherwise (A-law, ADPCM, …)
 * @example
 * ```ts
 * const { sampleRate, channels: [left] } = readWav(await readFile("word.wav"));
 * ```
 */
export function readWav(file: FileBytes): Wav {
  const { bytes, view } = viewOf(file);
  const wrong = (expected: string, got: string): never => fail({ op: "readWav", expected, got });
  const text = (at: number) => String.fromCharCode(...bytes.subarray(at, at + 4));
  if (bytes.length < 12 || text(0) !== "RIFF" || text(8) !== "WAVE") {
    wrong('a WAV file, which begins with "RIFF", a size and "WAVE"', hex(bytes.subarray(0, 12)));
  }
  let format: Format | null = null;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const [id, announced, start] = [text(at), view.getUint32(at + 4, true), at + 8];
    // Who writes as the sound comes does not know how long it will be.
    const size = id === "data" && announced === 0xffffffff ? bytes.length - start : announced;
    if (start + size > bytes.length) {
      wrong(
        `${size} bytes in the part ${JSON.stringify(id)}`,
        `a file that ends after ${bytes.length - start} of them`,
      );
    }
    if (id === "fmt ") format = readFormat(view, start, size, wrong);
    if (id === "data") {
      if (!format) return wrong('a part "fmt " before "data"', "none");
      return { sampleRate: format.sampleRate, channels: readSamples(view, start, size, format, wrong) };
    }
    at = start + size + (size % 2); // parts begin at even places
  }
  return wrong('a part "data"', "none");
}

/** Options of {@link writeWav}. */
export interface WriteWavOptions {
  /** Samples per second. */
  readonly sampleRate: number;
  /** Bits of a sample: 16 (default) or 24 for whole numbers, which hold sound in [−1, 1) and cut what is louder, 32 for floats, which hold any. */
  readonly bitDepth?: 16 | 24 | 32;
}

/**
 * The bytes of a WAV file. What {@link readWav} read is written as it was, if bitDepth is not less.
 *
 * @param samples of one channel, or an array of channels
 * @throws if the channels differ in length, a sample is NaN, or the file would pass 4 GiB
 * @example
 * ```ts
 * await writeFile("word.wav", writeWav(samples, { sampleRate: 16_000 }));
 * const link = URL.createObjectURL(new Blob([writeWav([left, right], { sampleRate: 48_000, bitDepth: 24 })])); // in a page
 * ```
 */
export function writeWav(
  samples: ArrayLike<number> | readonly ArrayLike<number>[],
  { sampleRate, bitDepth = 16 }: WriteWavOptions,
): Uint8Array<ArrayBuffer> {
  const op = "writeWav";
  const channels = (typeof samples[0] === "object" ? samples : [samples]) as readonly ArrayLike<number>[];
  const write =
    WRITERS[bitDepth] ?? fail({ op, expected: "bitDepth 16 or 24, or 32 for floats", got: `${bitDepth as number}` });
  const [{ length }, sample] = [channels[0], bitDepth / 8];
  const different = channels.find((channel) => channel.length !== length);
  if (different) fail({ op, expected: `channels of one length, ${length}`, got: `one of ${different.length}` });
  const block = channels.length * sample;
  const [size, float] = [length * block, bitDepth === 32];
  const header = float ? 58 : 44; // floats want to have their number of samples told
  const total = header + size + (size % 2);
  if (block > 0xffff)
    fail({ op, expected: `at most ${Math.floor(0xffff / sample)} channels`, got: `${channels.length}` });
  if (total - 8 > 0xffffffff)
    fail({ op, expected: "at most 4 GiB, which is what WAV files hold", got: `${total} bytes` });
  if (checkWhole(op, "sampleRate", sampleRate) * block > 0xffffffff) {
    fail({ op, expected: "at most 4 GiB per second", got: `sampleRate ${sampleRate} of ${block} bytes each` });
  }

  const view = new DataView(new ArrayBuffer(total));
  let at = 0;
  const text = (s: string) => {
    for (const letter of s) view.setUint8(at++, letter.charCodeAt(0));
  };
  const [u16, u32] = [
    (v: number) => view.setUint16((at += 2) - 2, v, true),
    (v: number) => view.setUint32((at += 4) - 4, v, true),
  ];
  text("RIFF");
  u32(total - 8);
  text("WAVEfmt ");
  u32(float ? 18 : 16);
  u16(float ? 3 : 1);
  u16(channels.length);
  u32(sampleRate);
  u32(sampleRate * block);
  u16(block);
  u16(bitDepth);
  if (float) {
    u16(0); // no more of the format
    text("fact");
    u32(4);
    u32(length);
  }
  text("data");
  u32(size);
  for (let i = 0; i < length; i++) {
    for (const channel of channels) {
      const v = channel[i];
      if (!(v <= 0 || v >= 0)) fail({ op, expected: "numbers", got: `${v} at sample ${i}` });
      write(view, at, v);
      at += sample;
    }
  }
  return new Uint8Array(view.buffer);
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

interface Format {
  readonly channels: number;
  readonly sampleRate: number;
  readonly bytes: number;
  readonly read: (view: DataView, at: number) => number;
}

type Wrong = (expected: string, got: string) => never;

function readFormat(view: DataView, at: number, size: number, wrong: Wrong): Format {
  if (size < 16) wrong('a part "fmt " of at least 16 bytes', `${size}`);
  const plain = view.getUint16(at, true);
  const extended = plain === 0xfffe;
  if (extended && size < 40) wrong('a part "fmt " of 40 bytes, as the format is extensible', `${size}`);
  const code = extended ? view.getUint16(at + 24, true) : plain;
  const [channels, sampleRate] = [view.getUint16(at + 2, true), view.getUint32(at + 4, true)];
  const [block, bits] = [view.getUint16(at + 12, true), view.getUint16(at + 14, true)];
  const read = READERS[`${code}/${bits}`];
  if (!read) {
    wrong("PCM (1) of 8, 16, 24 or 32 bits, or floats (3) of 32 or 64", `format ${code} of ${bits} bits`);
  }
  if (channels === 0 || sampleRate === 0)
    wrong("at least one channel and a sample rate", `${channels} and ${sampleRate}`);
  if (block !== (channels * bits) / 8) wrong(`blocks of ${(channels * bits) / 8} bytes`, `${block}`);
  return { channels, sampleRate, bytes: bits / 8, read };
}

function readSamples(view: DataView, start: number, size: number, format: Format, wrong: Wrong): Float32Array[] {
  const { channels, bytes, read } = format;
  const block = channels * bytes;
  if (size % block !== 0) wrong(`whole blocks of ${block} bytes`, `${size} bytes`);
  return Array.from({ length: channels }, (_, c) =>
    Float32Array.from({ length: size / block }, (_, i) => read(view, start + i * block + c * bytes)),
  );
}

const READERS: Readonly<Record<string, Format["read"]>> = {
  "1/8": (v, at) => (v.getUint8(at) - 128) / 128,
  "1/16": (v, at) => v.getInt16(at, true) / 2 ** 15,
  "1/24": (v, at) => (v.getUint8(at) | (v.getInt16(at + 1, true) << 8)) / 2 ** 23,
  "1/32": (v, at) => v.getInt32(at, true) / 2 ** 31,
  "3/32": (v, at) => v.getFloat32(at, true),
  "3/64": (v, at) => v.getFloat64(at, true),
};

/** Whole numbers are multiplied by what readers divide by. */
const WRITERS: Readonly<Record<number, (view: DataView, at: number, v: number) => void>> = {
  16: (view, at, v) => view.setInt16(at, whole(v, 2 ** 15), true),
  24(view, at, v) {
    const n = whole(v, 2 ** 23);
    view.setUint8(at, n & 255);
    view.setInt16(at + 1, n >> 8, true);
  },
  32: (view, at, v) => view.setFloat32(at, v, true),
};

function whole(v: number, scale: number): number {
  return Math.max(-scale, Math.min(scale - 1, Math.round(v * scale)));
}
