import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { fileURLToPath } from "node:url";
import { Linear, mse } from "@nn/layers";
import { SGD } from "@nn/optim";
import { manualSeed, type Tensor } from "@nn/tensor";
import jpeg from "jpeg-js";
import { PNG } from "pngjs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CallbackLike, dataset, fit, loadCheckpoint, loader, saveLast } from "../index.js";
import { csvFile, files, imageFolder, jsonFile, progressBar, readImage, workers } from "./index.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nn-train-"));
});
afterAll(() => rm(folder, { recursive: true }));

const setUp = (callbacks: readonly CallbackLike[], more: object = {}) => {
  manualSeed(1);
  const model = new Linear(1, 1);
  const optimizer = new SGD(model.parameters(), { lr: 0.1 });
  const data = loader(dataset([[1], [2], [3]], [[2], [4], [6]]), { batchSize: 1 });
  return fit(model, { loss: mse, optimizer, data, epochs: 3, callbacks, ...more });
};

describe("files", () => {
  it("keeps bytes by name", async () => {
    const store = files(join(folder, "deep", "store"));
    expect(await store.read("a")).toBeNull();
    await Promise.all([store.write("a", Uint8Array.of(1)), store.write("a", Uint8Array.of(2, 3))]);
    expect([...(await store.read("a"))!]).toEqual([2, 3]);
    expect(await readdir(join(folder, "deep", "store"))).toEqual(["a.safetensors"]);
    await store.remove("a");
    await store.remove("a");
    expect(await store.read("a")).toBeNull();
    expect(() => store.write("../a", Uint8Array.of(1))).toThrow("names of letters, digits");
  });
  it("a write that fails leaves what was there", async () => {
    const path = join(folder, "broken");
    const store = files(path);
    await store.write("a", Uint8Array.of(1));
    await mkdir(join(path, "a.safetensors.tmp")); // so that the temporary file cannot be made
    await expect(store.write("a", Uint8Array.of(2))).rejects.toThrow();
    expect([...(await store.read("a"))!]).toEqual([1]);
  });
});

it("training that is killed goes on from a whole checkpoint, and ends with the same bytes", () => {
  const script = fileURLToPath(new URL("../../scripts/kill-test.mjs", import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, "--kills", "10"], { encoding: "utf8" });
  expect(stderr).toBe("");
  expect(status).toBe(0);
  expect(stdout).toContain("every run ended with the same bytes");
});

describe("logs in files", () => {
  it("go on where a resumed run goes on", async () => {
    const [json, csv] = [join(folder, "logs", "log.jsonl"), join(folder, "logs", "log.csv")];
    const store = files(join(folder, "logs"));
    const callbacks = (fault?: CallbackLike) => [
      jsonFile(json, { steps: true }),
      csvFile(csv),
      ...(fault ? [fault] : [{}]),
      saveLast(store, { everySteps: 5 }),
    ];
    const fault = {
      step: ({ step }: { step: number }) => (step === 8 ? Promise.reject(new Error("power")) : undefined),
    };
    await expect(setUp(callbacks(fault))).rejects.toThrow("power");
    const lines = async (path: string) => (await readFile(path, "utf8")).trim().split("\n");
    expect(await lines(json)).toHaveLength(8 + 2);
    const resume = await loadCheckpoint(store, "last");
    expect(resume!.progress.step).toBe(6);
    await setUp(callbacks(), { resume });
    const events = (await lines(json)).map((line) => JSON.parse(line));
    expect(events.filter((e) => e.type === "step").map((e) => e.step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(events.filter((e) => e.type === "epoch").map((e) => e.epoch)).toEqual([1, 2, 3]);
    expect((await lines(csv)).map((line) => line.split(",")[0])).toEqual(["epoch", "1", "2", "3"]);
    await setUp(callbacks()); // a new run begins anew
    expect(await lines(csv)).toHaveLength(4);
  });
});

describe("progressBar", () => {
  it("is a line per epoch where there is no terminal, and a bar where there is one", async () => {
    const written = async (terminal: object) => {
      const stream = Object.assign(new PassThrough({ encoding: "utf8" }), terminal);
      let text = "";
      stream.on("data", (chunk) => (text += chunk));
      await setUp([progressBar({ stream: stream as any })]);
      return text;
    };
    const plain = await written({});
    expect(plain.split("\n")).toHaveLength(4);
    expect(plain).toMatch(/^epoch 1\/3 {2}loss [\d.e-]+ {2}\d+\.\d s\n/);
    const cursor = () => true;
    const bar = await written({ isTTY: true, columns: 80, cursorTo: cursor, clearLine: cursor, moveCursor: cursor });
    expect(bar).toContain("epoch 3/3  loss");
  });
});

describe("workers", () => {
  it("do jobs in threads, say what fails, and replace what dies", async () => {
    const module = join(folder, "job.mjs");
    await writeFile(
      module,
      `import { threadId } from "node:worker_threads";
       export default async (n) => {
         if (n === 3) throw new Error("not three");
         if (n === 4) process.exit(1);
         await new Promise((resolve) => setTimeout(resolve, 5));
         return { square: n * n, threadId };
       };`,
    );
    const pool = workers<number, { square: number; threadId: number }>(module, { count: 2 });
    const results = await Promise.all([0, 1, 2, 5, 6].map((n) => pool.run(n)));
    expect(results.map((r) => r.square)).toEqual([0, 1, 4, 25, 36]);
    expect(new Set(results.map((r) => r.threadId)).size).toBe(2);
    await expect(pool.run(3)).rejects.toThrow("not three");
    await expect(pool.run(4)).rejects.toThrow("ended with code 1");
    expect((await pool.run(7)).square).toBe(49);
    await pool.close();
    expect(() => pool.run(1)).toThrow("an open pool, got one that was closed");
  });
});

describe("imageFolder", () => {
  const colour = (r: number, g: number, b: number, width = 4, height = 2) => ({
    width,
    height,
    data: Buffer.from(Array.from({ length: width * height }, () => [r, g, b, 255]).flat()),
  });
  it("reads PNG and JPEG, a folder per class", async () => {
    const root = join(folder, "images");
    for (const name of ["red", "blue"]) await mkdir(join(root, name), { recursive: true });
    const png = (p: ReturnType<typeof colour>) => PNG.sync.write(Object.assign(new PNG(p), { data: p.data }));
    await writeFile(join(root, "red", "a.png"), png(colour(255, 0, 0)));
    await writeFile(join(root, "red", "b.jpg"), jpeg.encode(colour(255, 0, 0, 8, 4), 95).data);
    await writeFile(join(root, "blue", "c.PNG"), png(colour(0, 0, 255)));
    await writeFile(join(root, "blue", "notes.txt"), "nothing");
    const { data, classes, files, labels } = await imageFolder(root, { size: [2, 4] });
    expect([classes, [...labels], files.length]).toEqual([["blue", "red"], [0, 1, 1], 3]);
    const [x, y] = (await data.batch(Uint32Array.of(0, 1, 2))) as readonly [Tensor, Tensor];
    expect(x.shape).toEqual([3, 3, 2, 4]);
    expect(await y.toArray()).toEqual([0, 1, 1]);
    const means = (await x.mean([2, 3]).toArray()) as number[][];
    expect(means.map((m) => m.map(Math.round))).toEqual([
      [0, 0, 1],
      [1, 0, 0],
      [1, 0, 0],
    ]);
    const grey = await imageFolder(root, { size: [1, 1], channels: 1 });
    const [g] = (await grey.data.batch(Uint32Array.of(1))) as readonly [Tensor];
    expect(await g.item()).toBeCloseTo(0.299, 6);
    const unscaled = (await imageFolder(root)).data.batch(Uint32Array.of(1, 2));
    await expect(unscaled).rejects.toThrow("Pass a size.");
    await writeFile(join(root, "red", "a.png"), "no image");
    await expect((await imageFolder(root)).data.batch(Uint32Array.of(1))).rejects.toThrow("a.png to be a whole image");
    await expect(imageFolder(join(root, "red"))).rejects.toThrow("folders with .png or .jpg files");
  });
  it("does not believe what small files announce", async () => {
    const huge = colour(255, 0, 0, 64, 64);
    const png = new Uint8Array(PNG.sync.write(Object.assign(new PNG(huge), { data: huge.data })));
    const jpg = new Uint8Array(jpeg.encode(huge, 90).data);
    const frame = jpg.findIndex((byte, i) => byte === 0xff && jpg[i + 1] === 0xc0);
    const cases: [string, Uint8Array, number, number][] = [
      ["a.png", png, 16, 4],
      ["b.jpg", jpg, frame + 5, 2],
    ];
    for (const [name, bytes, at, width] of cases) {
      const path = join(folder, name);
      const announce = async (height: number, length: number) => {
        const view = new DataView(bytes.buffer);
        for (const [i, n] of (width === 4 ? [length, height] : [height, length]).entries()) {
          if (width === 4) view.setUint32(at + 4 * i, n);
          else view.setUint16(at + 2 * i, n);
        }
        await writeFile(path, bytes);
        return readImage(path);
      };
      await expect(announce(60_000, 60_000)).rejects.toThrow("60000 × 60000 pixels, more than 100000000");
      await expect(announce(5000, 4000)).rejects.toThrow(`4000 × 5000 pixels in ${bytes.length} bytes`);
      if (name === "b.jpg") expect((await announce(64, 64)).data).toHaveLength(64 * 64 * 4);
    }
  });
});
