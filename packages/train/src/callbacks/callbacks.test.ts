import { mse } from "@nn/layers";
import { SGD } from "@nn/optim";
import { Module, type Tensor, tensor, Variable } from "@nn/tensor";
import { describe, expect, it } from "vitest";
import { fit } from "../fit/fit.js";
import type { Metric } from "../metrics/metric.js";
import type { Batch } from "../structure.js";
import type { CallbackLike } from "./callback.js";
import { EarlyStopping } from "./early-stopping.js";
import { csvLines, jsonLines } from "./logs.js";
import { lessIsBetter } from "./monitor.js";

class Scalar extends Module {
  w = new Variable(tensor([0]));
  forward(x: Tensor): Tensor {
    return x.mul(this.w.value);
  }
}

/** Says what it is told to, epoch by epoch; the training's and then the validation's. */
class Script implements Metric {
  #next = 0;
  constructor(readonly values: readonly number[]) {}
  reset() {}
  update() {}
  result() {
    return this.values[Math.floor(this.#next++ / 2)] ?? 0;
  }
  stateDict() {
    return this.#next;
  }
  loadStateDict(next: number) {
    this.#next = next;
  }
}

const run = (script: readonly number[], callbacks: readonly CallbackLike[]) => {
  const model = new Scalar();
  const optimizer = new SGD(model.parameters(), { lr: 0.1 });
  const data: Batch[] = [[tensor([[1]]), tensor([[1]])]];
  const metrics = { score: new Script(script) };
  return {
    model,
    run: fit(model, { loss: mse, optimizer, data, validation: data, epochs: script.length, metrics, callbacks }),
  };
};

describe("EarlyStopping", () => {
  it("stops after patience, and gives back the best", async () => {
    const seen: number[] = [];
    const stopping = new EarlyStopping({ monitor: "valScore", patience: 1 });
    const { model, run: training } = run(
      [1, 3, 2, 2.5, 9],
      [stopping, async (_, r) => void seen.push(await (r.model as Scalar).w.value.item())],
    );
    const { epochs, stopped } = await training;
    expect(stopped).toBe("valScore has not improved since epoch 2");
    expect(epochs).toHaveLength(4);
    expect(stopping.best).toEqual({ value: 3, epoch: 2 });
    expect(await model.w.value.item()).toBe(seen[3]); // two events per epoch
  });
  it("keeps the last state if asked to, minds minDelta, and takes less for better where the name says so", async () => {
    const last = new EarlyStopping({ patience: 0, restoreBest: false, minDelta: 100 });
    const { model, run: training } = run([0, 0, 0], [last]);
    expect((await training).stopped).toBe("valLoss has not improved since epoch 1");
    expect(await model.w.value.item()).toBeCloseTo(0.36, 5);
    expect(["valLoss", "mae", "valRmse", "perplexity", "wordErrorRate"].every((n) => lessIsBetter(n, undefined))).toBe(
      true,
    );
    expect(["accuracy", "valF1", "r2"].some((n) => lessIsBetter(n, undefined))).toBe(false);
    expect(lessIsBetter("accuracy", "min")).toBe(true);
  });
  it("NaN is no improvement; an unknown figure is an error", async () => {
    const { run: training } = run([Number.NaN, 1, Number.NaN], [new EarlyStopping({ monitor: "score", patience: 0 })]);
    expect((await training).stopped).toBe("score has not improved since epoch 0");
    await expect(run([1], [new EarlyStopping({ monitor: "f1" })]).run).rejects.toThrow(
      'monitor to be one of "loss", "score", "valLoss", "valScore", got "f1"',
    );
  });
});

describe("callbacks", () => {
  it("are called in order, waited for, and closed in any case", async () => {
    const calls: string[] = [];
    const at = (name: string) => async () => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      calls.push(name);
    };
    const both = { start: at("start"), step: at("step"), epoch: at("epoch"), end: at("end"), close: at("close") };
    await run([1, 2], [{ order: 1, step: at("late") }, both]).run;
    expect(calls.join(" ")).toBe("start step late epoch step late epoch end close");
    calls.length = 0;
    const bad = { step: () => Promise.reject(new Error("the disk is full")) };
    await expect(run([1], [both, bad]).run).rejects.toThrow("the disk is full");
    expect(calls.join(" ")).toBe("start step close");
    const stuck = { close: () => Promise.reject(new Error("it does not close")) };
    await expect(run([1], [stuck]).run).rejects.toThrow("it does not close");
  });
  it("logs", async () => {
    let [json, csv, steps] = ["", "", ""];
    await run(
      [1, 2],
      [
        jsonLines((text) => void (json += text), { steps: true }),
        csvLines((text) => void (csv += text)),
        csvLines((text) => void (steps += text), { steps: true }),
      ],
    ).run;
    const events = json
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(events.map((e) => e.type)).toEqual(["step", "epoch", "step", "epoch"]);
    expect(events[3].logs).toMatchObject({ score: 2, valScore: 2 });
    expect(csv.split("\n").map((line) => line.replace(/,0\.\d+,/, ",_,"))[0]).toBe(
      "epoch,step,lr,seconds,loss,score,valLoss,valScore",
    );
    expect(csv.trim().split("\n")).toHaveLength(3);
    expect(steps.split("\n").slice(0, 2)).toEqual(["epoch,batch,step,lr,loss", "1,1,1,0.1,1"]);
  });
});
