// Damaged files: each gives a clear error or a result, never anything else.

import { NNError } from "@nn/tensor";
import { describe, expect, it } from "vitest";
import { readCsv } from "../csv/index.js";
import { randomStream } from "../random.js";
import { readCifar } from "./cifar.js";
import { readIdx } from "./idx.js";
import { readWav } from "./wav.js";

const text = (s: string) => [...new TextEncoder().encode(s)];
const idx = Uint8Array.of(0, 0, 0x0c, 2, 0, 0, 0, 2, 0, 0, 0, 3, ...new Array(24).fill(7));
const wav = Uint8Array.of(
  ...[...text("RIFF"), 44, 0, 0, 0, ...text("WAVEfmt "), 16, 0, 0, 0],
  ...[1, 0, 2, 0, 0x40, 0x1f, 0, 0, 0, 0x7d, 0, 0, 4, 0, 16, 0],
  ...[...text("data"), 8, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8],
);
const cifar = Uint8Array.from({ length: 2 * 3073 }, (_, i) => i % 10);
const csv = Uint8Array.from(text('a,b,"c"\n1,2,"x, y"\n3,4,"""z"\n'));

const readers = {
  IDX: [idx, readIdx],
  WAV: [wav, readWav],
  CIFAR: [cifar, readCifar],
  CSV: [csv, (file: Uint8Array) => readCsv(new TextDecoder().decode(file)).numbers(["a"])],
} as const;

describe.each(Object.entries(readers))("%s", (name, [file, read]) => {
  it("is read whole, and 3,000 mutants of it give an error or a result", () => {
    expect(() => read(file)).not.toThrow();
    const random = randomStream(1, name.charCodeAt(0));
    const below = (n: number) => Math.floor(random() * n);
    let errors = 0;
    for (let i = 0; i < 3000; i++) {
      const cut = random() < 0.3 ? below(file.length + 1) : file.length;
      const mutant = Uint8Array.from([...file.subarray(0, cut), ...(random() < 0.1 ? file : [])]);
      for (let k = below(4); k >= 0; k--) mutant[below(mutant.length)] = random() < 0.3 ? 255 : below(256);
      try {
        read(mutant);
      } catch (e) {
        expect(e).toBeInstanceOf(NNError);
        errors++;
      }
    }
    expect(errors).toBeGreaterThan(300);
  });
});
