import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { randomStream } from "../random.js";
import { fft, logMel, melSpectrogram, mfcc, spectrogram, stft } from "./audio.js";
import { gunzip } from "./bytes.js";
import { readCifar } from "./cifar.js";
import { readIdx } from "./idx.js";
import { readWav } from "./wav.js";

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
});

describe("spectra", () => {
  const random = randomStream(2);
  const noise = Float32Array.from({ length: 700 }, () => random() - 0.5);

  it.each([1, 2, 3, 8, 12, 25, 50, 100])("fft of length %i is the DFT by definition", (n) => {
    const re = Float64Array.from({ length: n }, random);
    const im = Float64Array.from({ length: n }, random);
    const [a, b] = fft(re, im);
    for (let k = 0; k < n; k++) {
      let [x, y] = [0, 0];
      for (let i = 0; i < n; i++) {
        const turn = (-2 * Math.PI * k * i) / n;
        x += re[i] * Math.cos(turn) - im[i] * Math.sin(turn);
        y += re[i] * Math.sin(turn) + im[i] * Math.cos(turn);
      }
      expect(a[k]).toBeCloseTo(x, 9);
      expect(b[k]).toBeCloseTo(y, 9);
    }
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
    expect(() => stft([1, 2], { nFft: 40 })).toThrow("more than 20 samples, for nFft 40, got 2");
  });

  it("a tone is where it belongs", () => {
    const tone = Float32Array.from({ length: 2000 }, (_, i) => Math.sin((2 * Math.PI * 1000 * i) / 8000));
    const { data, shape } = spectrogram(tone, { nFft: 80 });
    const frame = data.subarray(12 * shape[1], 13 * shape[1]);
    expect(frame.indexOf(Math.max(...frame))).toBe(10); // 1000 Hz of 100 Hz each
    expect(frame[10]).toBeCloseTo(400, 2); // (A · N/2 · mean of the window)² = (40 · 0.5)²
  });

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
  });
});
