// In a browser: a CNN trains in a worker, the page stays smooth, and what is killed or reloaded goes on from OPFS.

import { loadSafetensors } from "@nn/io";
import { NNError } from "@nn/tensor";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { trainIn, type WorkerEvent } from "../index.js";

const trainer = () => new Worker(new URL("../../fixtures/browser.ts", import.meta.url), { type: "module" });

/** The two kinds of pages run side by side, with one OPFS. */
const folder = (name: string) => `train-${inject("isolated")}/${name}`;
/** What it is told is in fixtures/digits.ts. */
const train = (options: object, how = {}) => trainIn(trainer, options, how);

/** The final parameters of a run that nobody disturbed. */
let undisturbed: Uint8Array;
beforeAll(async () => {
  const run = train({ folder: folder("undisturbed") });
  expect(await run).toMatchObject({ steps: 80, stopped: null });
  undisturbed = await run.weights();
});
afterAll(async () => {
  const root = await navigator.storage.getDirectory();
  await root.removeEntry(folder("").slice(0, -1), { recursive: true });
});

/** The times between frames, in milliseconds, of an animation that runs while the work does; the longest last. */
async function framesDuring(work: () => Promise<unknown>): Promise<number[]> {
  const box = document.body.appendChild(document.createElement("div"));
  box.style.cssText = "position: absolute; width: 50px; height: 50px; background: teal";
  const gaps: number[] = [];
  let last: number | null = null;
  const frame = (now: number) => {
    box.style.transform = `translateX(${100 + 100 * Math.sin(now / 300)}px)`;
    if (last !== null) gaps.push(now - last);
    last = now;
    if (box.isConnected) requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  await work();
  box.remove();
  return gaps.sort((a, b) => a - b);
}

it("learns while the page animates", async () => {
  const idle = await framesDuring(() => new Promise((resolve) => setTimeout(resolve, 1000)));
  const run = train({ folder: folder("animated"), epochs: 20, threads: 2 });
  const gaps = await framesDuring(async () => run);
  const { epochs, steps } = await run;
  expect(steps).toBe(400);
  expect(epochs.at(-1)!["loss"]).toBeLessThan(0.5 * (epochs[0]!["loss"] as number));
  expect(epochs.at(-1)!["accuracy"]).toBeGreaterThan(0.7);
  const figures = (of: number[]) =>
    `${of.length} frames, median ${of[of.length >> 1].toFixed(1)} ms, longest gap ${of.at(-1)!.toFixed(1)} ms`;
  console.log(`400 steps in a worker: ${figures(gaps)}; without it: ${figures(idle)}`);
  expect(gaps.at(-1)).toBeLessThan(1000); // anything shorter is a matter of what else the machine does
});

describe("ends with the same bits", () => {
  it("when its worker is terminated, and another goes on", async () => {
    const options = { folder: folder("aborted") };
    const controller = new AbortController();
    const first = train(options, { signal: controller.signal });
    const reason = new Error("enough");
    const seen = async () => {
      for await (const event of first) if (event.type === "step" && event.step === 30) controller.abort(reason);
    };
    await expect(seen()).rejects.toBe(reason);
    await expect(first).rejects.toBe(reason);
    await expect(first.weights()).rejects.toBe(reason);
    await expect(train(options, { signal: controller.signal })).rejects.toBe(reason);

    const second = train(options);
    const steps: number[] = [];
    for await (const event of second) if (event.type === "step") steps.push(event.step);
    expect(steps[0]).toBeGreaterThan(20);
    expect(steps.at(-1)).toBe(80);
    expect(await second.weights()).toEqual(undisturbed);
  });

  it("when the page is reloaded", async () => {
    const page = document.createElement("iframe");
    const options = JSON.stringify({ folder: folder("reloaded") });
    const [script, worker] = ["page", "browser"].map((name) => new URL(`../../fixtures/${name}.ts`, import.meta.url));
    const html = `<body data-worker="${worker}" data-options='${options}'><script type="module" src="${script}"></script>`;
    page.src = URL.createObjectURL(new Blob([html], { type: "text/html" }));
    const steps: number[] = [];
    const weights = await new Promise<Uint8Array>((resolve) => {
      let reloaded = false;
      window.addEventListener("message", ({ source, data }) => {
        if (source !== page.contentWindow) return;
        if (data.weights) resolve(data.weights);
        if (!data.step) return;
        steps.push(data.step);
        if (data.step !== 30 || reloaded) return;
        reloaded = true;
        page.contentWindow!.location.reload();
      });
      document.body.append(page);
    });
    page.remove();
    expect(steps.filter((step) => step === 1)).toEqual([1]); // the second page did not begin at the beginning
    expect(steps.at(-1)).toBe(80);
    expect(weights).toEqual(undisturbed);
  });

  it("when its worker breaks", async () => {
    const run = train({ folder: folder("broken"), breakAt: 30 }, { respawn: 1 });
    const events: WorkerEvent[] = [];
    for await (const event of run) events.push(event);
    const crash = events.find((event) => event.type === "crash")!;
    expect(crash).toMatchObject({ count: 1, reason: expect.stringContaining("the worker was broken") });
    expect(await run.weights()).toEqual(undisturbed);
  });
});

it("is paused, stepped, looked at, and stopped", async () => {
  const run = train({ folder: folder("paused"), epochs: 100_000 });
  run.step(3);
  const events = run[Symbol.asyncIterator]();
  for (let i = 0; i < 3; i++) await events.next();
  expect(run.paused).toBe(true);
  const held = await run.weights();
  expect(await run.weights()).toEqual(held);
  run.resume();
  await events.next();
  run.pause(); // it reaches a worker that trains
  const held2 = await run.weights();
  expect(await run.weights()).toEqual(held2);
  expect(held2).not.toEqual(held);
  expect(Object.keys(loadSafetensors(held2))).toContain("0.weight");
  run.stop("seen enough");
  expect(await run).toMatchObject({ stopped: "seen enough" });
});

it("tells what was wrong", async () => {
  const failed = async (options: object) =>
    train(options, { respawn: 1 }).then(String, (e) => e as Error) as Promise<Error>;
  const shapes = await failed({ folder: folder("wrong"), wrong: "shapes" });
  expect(shapes).toBeInstanceOf(NNError);
  expect(shapes.message).toContain('Linear "8": expected x');
  expect((await failed({ folder: folder("wrong"), wrong: "nothing" })).message).toContain("got no model");
  const thrown = await failed({ folder: folder("wrong"), wrong: "thrown" });
  expect([thrown.name, thrown.message]).toEqual(["TypeError", "no data today"]);
  const missing = trainIn(() => new Worker("/nowhere.js"), {});
  await expect(missing).rejects.toThrow("trainIn: the worker died: its script could not be loaded");
});
