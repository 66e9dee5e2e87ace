// In Node: the same training in a worker thread. What only browsers have is in worker.browser.test.ts.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { NNError } from "@nn/tensor";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, it } from "vitest";
import { trainIn, type WorkerEvent } from "../index.js";

let folder: string;
let trainer: () => Worker;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nn-worker-"));
  const file = join(folder, "trainer.mjs");
  const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
  await build({
    entryPoints: [path("../../fixtures/node.ts")],
    bundle: true,
    platform: "node",
    format: "esm",
    outfile: file,
    tsconfig: path("../../../../tsconfig.json"),
    external: ["pngjs", "jpeg-js"],
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
  });
  trainer = () => new Worker(file);
});
afterAll(() => rm(folder, { recursive: true }));

/** What it is told is in fixtures/digits.ts. */
const train = (name: string, options: object = {}, how = {}) =>
  trainIn(trainer, { folder: join(folder, name), ...options }, how);

it("a thread that dies is replaced, and the run ends with the same bits", async () => {
  const undisturbed = train("undisturbed");
  const history = await undisturbed;
  expect(history).toMatchObject({ steps: 80, stopped: null });
  expect(history.epochs).toHaveLength(4);

  const run = train("broken", { breakAt: 30 }, { respawn: 1 });
  const events: WorkerEvent[] = [];
  for await (const event of run) events.push(event);
  expect(events.filter((event) => event.type === "crash")).toEqual([
    { type: "crash", count: 1, reason: "trainIn: the worker died: its thread ended with code 7" },
  ]);
  expect(events.at(-1)).toMatchObject({ type: "epoch", epoch: 4, logs: history.epochs[3] });
  expect(await run.weights()).toEqual(await undisturbed.weights());

  await expect(train("broken again", { breakAt: 30 })).rejects.toThrow("its thread ended with code 7");
});

it("a thread that hangs is replaced, too; one that is held or slow is not", async () => {
  const again = expect(train("hanging again", { hangAt: 1 }, { timeout: 2000 })).rejects.toThrow("silent for 2000 ms");
  const held = train("held", {}, { timeout: 2000 });
  held.pause();
  const run = train("hanging", { hangAt: 30 }, { respawn: 1, timeout: 2000 });
  const crashes: WorkerEvent[] = [];
  for await (const event of run) if (event.type === "crash") crashes.push(event);
  expect(crashes).toEqual([
    { type: "crash", count: 1, reason: "trainIn: the worker hangs: it was silent for 2000 ms" },
  ]);
  expect(await run).toMatchObject({ steps: 80, stopped: null });
  const undisturbed = train("undisturbed");
  await undisturbed;
  expect(await run.weights()).toEqual(await undisturbed.weights());
  await again;
  held.resume();
  expect(await held).toMatchObject({ steps: 80, stopped: null });
  expect(() => train("wrong", {}, { timeout: 0 })).toThrow("timeout in milliseconds, > 0, got 0");
});

it("is told what to do before there is a run, and while there is one", async () => {
  const run = train("told", { epochs: 100_000 });
  run.step(2);
  const events = run[Symbol.asyncIterator]();
  expect((await events.next()).value).toMatchObject({ type: "step", step: 1 });
  expect((await events.next()).value).toMatchObject({ type: "step", step: 2 });
  expect(run.paused).toBe(true);
  const held = await run.weights();
  expect(await run.weights()).toEqual(held);
  run.resume();
  await events.next();
  await events.return(); // leaving the loop
  expect(await run).toMatchObject({ stopped: "the loop over its events was left" });
  expect(await run.weights()).not.toEqual(held);

  const paused = train("paused");
  paused.pause();
  paused.stop("no need");
  expect(await paused).toEqual({ epochs: [], steps: 0, stopped: "no need" });
});

it("an abort ends it at once", async () => {
  const controller = new AbortController();
  const run = train("aborted", { epochs: 100_000 }, { signal: controller.signal });
  const asked = run.weights();
  const reason = new Error("enough");
  controller.abort(reason);
  await expect(asked).rejects.toBe(reason);
  await expect(run).rejects.toBe(reason);
  await expect(train("aborted", {}, { signal: controller.signal })).rejects.toBe(reason);
});

it("tells what was wrong", async () => {
  const error = (await train("wrong", { wrong: "shapes" }, { respawn: 5 }).then(null, (reason) => reason)) as NNError;
  expect(error).toBeInstanceOf(NNError);
  expect(error.message).toContain('Linear "8": expected x');
  expect(error.op).toBe("linear");
  await expect(train("wrong", { wrong: "nothing" })).rejects.toThrow("what fit is to be called with");
  const crashes: WorkerEvent[] = [];
  const failing = async () => {
    for await (const event of train("wrong", { wrong: "thrown" }, { respawn: 1 })) crashes.push(event);
  };
  await expect(failing()).rejects.toMatchObject({ name: "TypeError", message: "no data today" });
  expect(crashes).toEqual([{ type: "crash", count: 1, reason: "no data today" }]);
  expect(() => trainIn({} as () => Worker)).toThrow("a function that gives a new worker");
  await expect(trainIn(() => new Worker(new URL("file:///nowhere.js")))).rejects.toThrow(
    "the worker died: Cannot find",
  );
});
