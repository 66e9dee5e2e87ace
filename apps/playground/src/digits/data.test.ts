// MNIST's four files: known by their names, and looked into.

import { describe, expect, it } from "vitest";
import { fileKey, readPart } from "./data.js";

/** IDX of zeros. */
function idx(...shape: readonly number[]): Uint8Array<ArrayBuffer> {
  const head = 4 + 4 * shape.length;
  const bytes = new Uint8Array(head + shape.reduce((a, b) => a * b, 1));
  bytes.set([0, 0, 8, shape.length]);
  for (const [i, size] of shape.entries()) new DataView(bytes.buffer).setUint32(4 + 4 * i, size);
  return bytes;
}

describe("MNIST's files", () => {
  it("are known by their names", () => {
    expect(fileKey("train-images-idx3-ubyte.gz")).toBe("mnist train images");
    expect(fileKey("t10k-labels.idx1-ubyte")).toBe("mnist test labels");
    expect(fileKey("holiday.jpg")).toBeNull();
  });

  it("hold pictures of 28 by 28, or labels", async () => {
    const images = idx(2, 28, 28);
    expect((await readPart("mnist train images", images)).shape).toEqual([2, 28, 28]);
    const packed = new Response(new Blob([images]).stream().pipeThrough(new CompressionStream("gzip")));
    expect((await readPart("mnist train images", new Uint8Array(await packed.arrayBuffer()))).shape[0]).toBe(2);
    await expect(readPart("mnist train labels", images)).rejects.toThrow(
      "expected numbers of shape (2), got (2, 28, 28)",
    );
    await expect(readPart("mnist test images", new Uint8Array(9))).rejects.toThrow("IDX");
  });
});
