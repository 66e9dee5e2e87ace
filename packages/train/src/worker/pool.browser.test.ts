// In a browser: jobs in web workers.

import { NNError } from "@nn/tensor";
import { expect, it } from "vitest";
import { loader, samples, workerPool } from "../index.js";

/** What it does is in fixtures/jobs.ts. */
const start = () => new Worker(new URL("../../fixtures/jobs.ts", import.meta.url), { type: "module" });

it("does jobs, says what fails, and maps the samples of a loader", async () => {
  let started = 0;
  const counted = () => {
    started++;
    return start();
  };
  const pool = workerPool<number, Float32Array>(counted, { count: 2 });
  expect((await Promise.all([0, 1, 2, 5, 6].map((n) => pool.run(n)))).map(([v]) => v)).toEqual([0, 1, 4, 25, 36]);
  expect(started).toBe(2);
  const error = (await pool.run(3).catch((e) => e)) as NNError;
  expect(error).toBeInstanceOf(NNError);
  expect(error.op).toBe("matmul");
  const data = samples(4, async (i) => [{ data: await pool.run(i + 5), shape: [1] }]);
  const rows: unknown[] = [];
  for await (const [x] of loader(data, { batchSize: 2, prefetch: 2 }).epoch(0)) rows.push(await (x as any).toArray());
  expect(rows).toEqual([[[25], [36]], [[49], [64]]]); // biome-ignore format: a line
  await expect(pool.run((() => 1) as never)).rejects.toThrow(); // cannot be copied
  expect((await pool.run(2))[0]).toBe(4);
  const running = pool.run(1);
  await Promise.all([expect(running).rejects.toThrow("was closed"), pool.close()]);
  expect(() => pool.run(1)).toThrow("an open pool, got one that was closed");
  await expect(workerPool(() => new Worker("/nowhere.js")).run(1)).rejects.toThrow("its script could not be loaded");
});
