// WAV files: RIFF with PCM of 8, 16, 24 or 32 bits, or floats of 32 or 64.

import { fail } from "@nn/tensor";
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
