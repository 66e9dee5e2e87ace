import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { randomStream } from "../random.js";
import { gunzip } from "./bytes.js";
import { readCifar } from "./cifar.js";
import { readIdx } from "./idx.js";
import { readWav, writeWav } from "./wav.js";

const u32 = (v: number, little = false) => {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, v, little);
  return [...new Uint8Array(view.buffer)];
};
const u16 = (v: number) => [v & 255, v >> 8];

describe("IDX", () => {
  it("bytes, and big-endian numbers", () => {
    const file = Uint8Array.of(0, 0, 8, 2, ...u32(2), ...u32(3), 1, 2, 3, 4, 5, 255);
    expect(readIdx(file)).toEqual({ shape: [2, 3], data: Uint8Array.of(1, 2, 3, 4, 5, 255) });
    expect(readIdx(file.buffer)).toEqual(readIdx(file));
    expect(readIdx(Uint8Array.of(0, 0, 0x0b, 1, ...u32(2), 1, 2, 255, 254)).data).toEqual(Int16Array.of(258, -2));
    expect(readIdx(Uint8Array.of(0, 0, 0x0d, 0, 0x3f, 0x80, 0, 0))).toEqual({ shape: [], data: Float32Array.of(1) });
    expect(readIdx(Uint8Array.of(0, 0, 9, 1, ...u32(1), 255)).data).toEqual(Int8Array.of(-1));
  });
  it("says what is wrong", async () => {
    expect(() => readIdx(Uint8Array.of(1, 2, 3, 4))).toThrow("an IDX file, which begins with 00 00, a type");
    expect(() => readIdx(gzipSync("x"))).toThrow("a gzip file, which gunzip() unpacks");
    expect(() => readIdx(new Uint8Array(0))).toThrow("got nothing");
    expect(() => readIdx(Uint8Array.of(0, 0, 8, 200, 1))).toThrow("at most 64 axes, got 200");
    expect(() => readIdx(Uint8Array.of(0, 0, 8, 60, 1))).toThrow("a header of 244 bytes, for 60 axes");
    expect(() => readIdx(Uint8Array.of(0, 0, 8, 1, ...u32(3), 1, 2))).toThrow("11 bytes, for (3) numbers of 1, got 10");
    const huge = Uint8Array.of(0, 0, 14, 3, ...u32(0xffffffff), ...u32(0xffffffff), ...u32(0xffffffff));
    expect(() => readIdx(huge)).toThrow("got 16");
    expect(await gunzip(gzipSync(Uint8Array.of(1, 2)))).toEqual(Uint8Array.of(1, 2));
    await expect(gunzip(Uint8Array.of(1, 2))).rejects.toThrow("a gzip file, which begins with 1f 8b, got 01 02");
    await expect(gunzip(gzipSync("hello there").subarray(0, 15))).rejects.toThrow("damaged or cut off");
    await expect(gunzip(gzipSync(new Uint8Array(1e6)), { maxBytes: 1000 })).rejects.toThrow("at most 1000 bytes");
  });
});

describe("CIFAR", () => {
  const pixels = Uint8Array.from({ length: 3072 }, (_, i) => i % 251);
  it("10 and 100", () => {
    const ten = readCifar(Uint8Array.from([7, ...pixels, 9, ...pixels]));
    expect([...ten.labels]).toEqual([7, 9]);
    expect(ten.images.subarray(3072)).toEqual(pixels);
    expect(ten.coarse).toBeNull();
    const hundred = readCifar(Uint8Array.from([3, 99, ...pixels]), { classes: 100 });
    expect([[...hundred.labels], [...hundred.coarse!]]).toEqual([[99], [3]]);
    expect(hundred.images).toEqual(pixels);
  });
  it("says what is wrong", () => {
    expect(() => readCifar(Uint8Array.from([10, ...pixels]))).toThrow("labels below 10, got 10 in record 0");
    expect(() => readCifar(pixels)).toThrow(
      "records of 3073 bytes (CIFAR-10, binary version), got a file of 3072 bytes",
    );
  });
});

describe("WAV", () => {
  const wav = (format: number, bits: number, channels: number, data: number[], more: number[] = []) => {
    const block = (channels * bits) / 8;
    const fmt = [
      ...u16(format),
      ...u16(channels),
      ...u32(8000, true),
      ...u32(8000 * block, true),
      ...u16(block),
      ...u16(bits),
    ];
    const text = (s: string) => [...new TextEncoder().encode(s)];
    const body = [
      ...text("WAVE"),
      ...text("LIST"),
      ...u32(3, true),
      1,
      2,
      3,
      0,
      ...text("fmt "),
      ...u32(16 + more.length, true),
    ];
    const rest = [...fmt, ...more, ...text("data"), ...u32(data.length, true), ...data];
    return Uint8Array.from([...text("RIFF"), ...u32(body.length + rest.length, true), ...body, ...rest]);
  };
  const f32 = (...v: number[]) => [...new Uint8Array(Float32Array.from(v).buffer)];
  it("of every kind", () => {
    expect(readWav(wav(1, 8, 1, [0, 128, 255]))).toEqual({
      sampleRate: 8000,
      channels: [Float32Array.of(-1, 0, 127 / 128)],
    });
    const stereo = readWav(wav(1, 16, 2, [0, 0x80, 0xff, 0x7f, 0, 0x40, 0, 0]));
    expect(stereo.channels).toEqual([Float32Array.of(-1, 0.5), Float32Array.of(32767 / 32768, 0)]);
    expect(readWav(wav(1, 24, 1, [0, 0, 0x80, 1, 0, 0])).channels[0]).toEqual(Float32Array.of(-1, 2 ** -23));
    expect(readWav(wav(1, 32, 1, [0, 0, 0, 0x80])).channels[0]).toEqual(Float32Array.of(-1));
    expect(readWav(wav(3, 32, 1, f32(0.25, -2))).channels[0]).toEqual(Float32Array.of(0.25, -2));
    const double = [...new Uint8Array(Float64Array.of(0.5).buffer)];
    expect(readWav(wav(3, 64, 1, double)).channels[0]).toEqual(Float32Array.of(0.5));
    const extension = [...u16(22), ...u16(16), ...u32(0, true), ...u16(1), ...new Array(14).fill(0)];
    expect(readWav(wav(0xfffe, 16, 1, [0, 0x40], extension)).channels[0]).toEqual(Float32Array.of(0.5));
  });
  it("says what is wrong", () => {
    const file = wav(1, 16, 1, [1, 2, 3, 4]);
    expect(() => readWav(file.subarray(0, file.length - 1))).toThrow(
      '4 bytes in the part "data", got a file that ends after 3',
    );
    expect(() => readWav(Uint8Array.of(1, 2))).toThrow("a WAV file");
    expect(() => readWav(wav(6, 8, 1, [1]))).toThrow("got format 6 of 8 bits");
    expect(() => readWav(wav(1, 16, 0, []))).toThrow("at least one channel");
    expect(() => readWav(wav(1, 16, 1, [1]))).toThrow("whole blocks of 2 bytes, got 1 bytes");
    expect(() => readWav(file.subarray(0, file.length - 12))).toThrow('a part "data", got none');
  });
  it("never breaks on damaged files", () => {
    const random = randomStream(1);
    const file = wav(1, 16, 2, [0, 0x80, 0xff, 0x7f, 0, 0x40, 0, 0]);
    for (let i = 0; i < 2000; i++) {
      const mutant = file.slice(0, random() < 0.3 ? Math.floor(random() * file.length) : file.length);
      for (let k = 0; k < 3; k++) mutant[Math.floor(random() * mutant.length)] = Math.floor(random() * 256);
      try {
        readWav(mutant);
      } catch (e) {
        expect((e as Error).name).toBe("NNError");
      }
    }
  });

  it("written, to the last bit", () => {
    // 16 bits: the file as the builder above has it, but for its other part
    expect(writeWav([-1, 0.5, 2, -3], { sampleRate: 8000 })).toEqual(
      Uint8Array.from([
        ...[82, 73, 70, 70, 44, 0, 0, 0, 87, 65, 86, 69, 102, 109, 116, 32, 16, 0, 0, 0], // RIFF, WAVE, fmt
        ...[1, 0, 1, 0, 0x40, 0x1f, 0, 0, 0x80, 0x3e, 0, 0, 2, 0, 16, 0],
        ...[100, 97, 116, 97, 8, 0, 0, 0, 0, 0x80, 0, 0x40, 0xff, 0x7f, 0, 0x80], // data; what is too loud is cut
      ]),
    );
    const of = (n: number, scale: number) =>
      Float32Array.from({ length: n }, (_, i) => ((i * 7919 + 3) % (2 * scale)) / scale - 1);
    for (const [bitDepth, scale] of [
      [16, 2 ** 15],
      [24, 2 ** 23],
      [32, 1e3],
    ] as const) {
      const channels = [of(1001, scale), of(1001, scale).reverse(), new Float32Array(1001)]; // 9009 bytes with 24 bits: an odd number
      const file = writeWav(channels, { sampleRate: 44_100, bitDepth });
      expect(file.length % 2).toBe(0);
      expect(readWav(file)).toEqual({ sampleRate: 44_100, channels });
      expect(writeWav(readWav(file).channels, { sampleRate: 44_100, bitDepth })).toEqual(file);
    }
    expect(writeWav([0.25], { sampleRate: 8000, bitDepth: 32 })).toHaveLength(58 + 4);
    expect(readWav(writeWav([0.7 / 2 ** 15], { sampleRate: 8000 })).channels[0]).toEqual(Float32Array.of(2 ** -15));
    const loud = Float32Array.of(1e9, -2, Infinity);
    expect(readWav(writeWav(loud, { sampleRate: 1, bitDepth: 32 })).channels).toEqual([loud]);
    expect(readWav(writeWav(loud, { sampleRate: 1, bitDepth: 24 })).channels[0]).toEqual(
      Float32Array.of(1 - 2 ** -23, -1, 1 - 2 ** -23),
    );
    expect(readWav(writeWav([], { sampleRate: 8000 })).channels).toEqual([new Float32Array(0)]);
    expect(readWav(writeWav([[], []], { sampleRate: 8000 })).channels).toHaveLength(2);
  });
  it("says what cannot be written", () => {
    const rate = { sampleRate: 8000 };
    expect(() => writeWav([0, Number.NaN], rate)).toThrow("writeWav: expected numbers, got NaN at sample 1");
    expect(() => writeWav([[1, 2], [1]], rate)).toThrow("channels of one length, 2, got one of 1");
    expect(() => writeWav([1], { sampleRate: 44_100.5 })).toThrow("sampleRate to be a whole number, 1 or more");
    expect(() => writeWav([1], { sampleRate: 2 ** 31 })).toThrow("at most 4 GiB per second");
    expect(() => writeWav([1], { ...rate, bitDepth: 8 as 16 })).toThrow("bitDepth 16 or 24, or 32 for floats, got 8");
    expect(() => writeWav({ length: 2 ** 31, 0: 0 }, rate)).toThrow("at most 4 GiB, which is what WAV files hold");
    expect(() => writeWav(new Array(2 ** 15).fill([0]), rate)).toThrow("at most 32767 channels, got 32768");
  });
});
