// Files that the tests drop on the pages, made here.

import type { Page } from "playwright";

/** IDX of bytes, as MNIST's. */
export function idx(data: Uint8Array, shape: readonly number[]): Buffer {
  const head = Buffer.alloc(4 + 4 * shape.length);
  head.set([0, 0, 8, shape.length]);
  for (const [i, size] of shape.entries()) head.writeUInt32BE(size, 4 + 4 * i);
  return Buffer.concat([head, data]);
}

/** WAV of 16 bits, one channel. */
export function wav(samples: Float32Array, rate: number): Buffer {
  const file = Buffer.alloc(44 + 2 * samples.length);
  file.write("RIFF", 0);
  file.writeUInt32LE(36 + 2 * samples.length, 4);
  file.write("WAVEfmt ", 8);
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20);
  file.writeUInt16LE(1, 22);
  file.writeUInt32LE(rate, 24);
  file.writeUInt32LE(2 * rate, 28);
  file.writeUInt16LE(2, 32);
  file.writeUInt16LE(16, 34);
  file.write("data", 36);
  file.writeUInt32LE(2 * samples.length, 40);
  for (const [i, v] of samples.entries())
    file.writeInt16LE(Math.round(32767 * Math.max(-1, Math.min(1, v))), 44 + 2 * i);
  return file;
}

/** PNGs of one of three things: red discs, blue squares, green stripes, each at another place. */
export async function pictures(page: Page, thing: number, count: number) {
  const all = await page.evaluate(
    ({ thing, count }) =>
      Array.from({ length: count }, (_, i) => {
        const canvas = document.createElement("canvas");
        canvas.width = canvas.height = 96;
        const context = canvas.getContext("2d")!;
        context.fillStyle = `hsl(${40 * i} 15% 80%)`;
        context.fillRect(0, 0, 96, 96);
        context.fillStyle = ["#c22", "#24c", "#283"][thing];
        const [x, y] = [30 + 6 * i, 62 - 6 * i];
        if (thing === 0) context.arc(x, y, 22, 0, 7);
        else if (thing === 1) context.rect(x - 20, y - 20, 40, 40);
        else for (let k = 0; k < 96; k += 24) context.rect(0, k + 2 * i, 96, 10);
        context.fill();
        return canvas.toDataURL().split(",")[1];
      }),
    { thing, count },
  );
  return all.map((text, i) => ({
    name: `${thing}-${i}.png`,
    mimeType: "image/png",
    buffer: Buffer.from(text, "base64"),
  }));
}
