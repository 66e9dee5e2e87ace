// In a browser: images that the page has, decoded by createImageBitmap.

import type { Tensor } from "@nn/tensor";
import { expect, it } from "vitest";
import { decodeImage, type ImageFile, imageFiles, loader } from "../index.js";

/** A file of one colour, or of a different left half, in a folder. */
async function image(path: string, left: string, right = left, [height, width] = [2, 4]): Promise<ImageFile> {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d")!;
  context.fillStyle = left;
  context.fillRect(0, 0, width / 2, height);
  context.fillStyle = right;
  context.fillRect(width / 2, 0, width / 2, height);
  const blob = await canvas.convertToBlob({ type: path.endsWith("png") ? "image/png" : "image/jpeg", quality: 1 });
  const file = new File([blob], path.split("/").at(-1)!, { type: blob.type });
  return Object.defineProperty(file, "webkitRelativePath", { value: path });
}

it("reads files in folders, sorted by class and path", async () => {
  const files = [
    await image("all/red/b.png", "#f00"),
    await image("all/blue/c.jpg", "#00f", "#00f", [16, 32]),
    await image("all/red/a.png", "#000", "#fff"),
    Object.defineProperty(new File(["nothing"], "notes.txt"), "webkitRelativePath", { value: "all/red/notes.txt" }),
  ];
  const { data, classes, labels, files: paths } = imageFiles(files, { size: [2, 4] });
  expect([classes, [...labels]]).toEqual([["blue", "red"], [0, 1, 1]]); // biome-ignore format: a line
  expect(paths).toEqual(["all/blue/c.jpg", "all/red/a.png", "all/red/b.png"]);
  const [x, y] = (await data.batch(Uint32Array.of(0, 1, 2))) as readonly [Tensor, Tensor];
  expect(x.shape).toEqual([3, 3, 2, 4]);
  expect(await y.toArray()).toEqual([0, 1, 1]);
  const [blue, halves, red] = (await x.toArray()) as number[][][][];
  expect(blue[2]![0]![0]).toBeGreaterThan(0.95);
  expect(blue[0]![0]![0]).toBeLessThan(0.05);
  expect(halves[1]).toEqual([[0, 0, 1, 1], [0, 0, 1, 1]]); // biome-ignore format: rows
  expect(red!.map((plane) => plane.flat())).toEqual([1, 0, 0].map((v) => Array(8).fill(v)));

  const grey = imageFiles(files, { channels: 1, size: [1, 1], classOf: (path) => path.slice(-5, -4) });
  expect(grey.classes).toEqual(["a", "b", "c"]);
  for await (const [g] of loader(grey.data, { batchSize: 3 }).epoch(0, 0)) {
    expect((g as Tensor).shape).toEqual([3, 1, 1, 1]);
    expect((await (g as Tensor).read())[1]).toBeCloseTo(0.299, 5);
  }
});

it("says what is wrong", async () => {
  const red = await image("red.png", "#f00");
  expect(() => imageFiles([])).toThrow("imageFiles: expected image files, got none");
  expect(() => imageFiles([red])).toThrow("expected files in folders, got red.png. Pass classOf");
  expect(() => imageFiles([red], { classOf: () => "a", size: [0, 1] })).toThrow("size [height, width]");
  const broken = new File(["no image"], "x.png", { type: "image/png" });
  await expect(decodeImage(broken, "x.png")).rejects.toThrow("decodeImage: expected x.png to be a whole image");
  const sizes = imageFiles([red, await image("b.png", "#fff", "#fff", [4, 4])], { classOf: () => "a" });
  await expect(sizes.data.batch(Uint32Array.of(0, 1))).rejects.toThrow("Pass a size.");
});
