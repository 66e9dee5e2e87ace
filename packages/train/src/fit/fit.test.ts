import { wasm } from "@nn/backend-wasm";
import { CrossEntropyLoss, crossEntropy, Dropout, Linear, mse, Sequential } from "@nn/layers";
import { Adam, GradScaler, OneCycleLR, type Optimizer, PolynomialLR, ReduceLROnPlateau, SGD, StepLR } from "@nn/optim";
import { compile, Module, manualSeed, memory, reference, setBackend, type Tensor, tensor, Variable } from "@nn/tensor";
import { afterAll, describe, expect, it } from "vitest";
import { saveLast } from "../callbacks/save.js";
import { stopOnNaN } from "../callbacks/stop-on-nan.js";
import { loadCheckpoint } from "../checkpoint/checkpoint.js";
import { memoryStore } from "../checkpoint/store.js";
import { dataset } from "../data/dataset.js";
import { batches, type Loader, loader } from "../data/loader.js";
import { stream } from "../data/stream.js";
import { Accuracy } from "../metrics/classification.js";
import type { Batch } from "../structure.js";
import { evaluate, predict } from "./evaluate.js";
import type { StepEvent, TrainEvent } from "./events.js";
import { fit } from "./fit.js";
import type { FitOptions } from "./options.js";
import type { RunLength } from "./schedule.js";

class Net extends Module {
  fc1 = new Linear(2, 8);
  drop = new Dropout(0.2);
  fc2 = new Linear(8, 3);
  forward(x: Tensor): Tensor {
    return this.fc2.forward(this.drop.forward(this.fc1.forward(x).tanh()));
  }
}

/** Points of a plane in three classes. */
function points(n: number) {
  const at = (i: number) => [Math.sin(i * 12.9898) * 2, Math.cos(i * 78.233) * 2];
  const x = Float32Array.from({ length: 2 * n }, (_, i) => at(i >> 1)[i % 2]);
  const y = Int32Array.from({ length: n }, (_, i) => (at(i)[0] > 0.5 ? 2 : at(i)[1] > 0 ? 1 : 0));
  return { x: { data: x, shape: [2] }, y };
}

function setUp(seed = 1) {
  manualSeed(seed);
  const model = new Net();
  const { x, y } = points(50);
  const data = loader(dataset(x, y), { batchSize: 16, shuffle: true, seed: 3 });
  return { model, data, optimizer: new Adam(model.parameters(), { lr: 0.02 }) };
}

function setUpStream(data: Loader) {
  const { model, optimizer } = setUp();
  const schedule = (o: Optimizer<any>, { steps }: RunLength) => new PolynomialLR(o, { totalIters: steps });
  return fit(model, { loss: crossEntropy, optimizer, data, epochs: 1, schedule });
}

/** What other tests have left is gone. */
const collected = async () => {
  (globalThis as { gc?: () => void }).gc?.();
  await new Promise((resolve) => setTimeout(resolve, 10));
};

const weights = async (model: Module) => {
  const state = Object.entries(model.stateDict());
  return Object.fromEntries(await Promise.all(state.map(async ([k, t]) => [k, await t.toArray()])));
};

const collect = async (run: AsyncIterable<TrainEvent>) => {
  const events: TrainEvent[] = [];
  for await (const event of run) events.push(event);
  return events;
};

describe("fit", () => {
  it("learns, and tells each step and epoch", async () => {
    const { model, data, optimizer } = setUp();
    const metrics = { accuracy: new Accuracy() };
    const run = fit(model, { loss: crossEntropy, optimizer, data, epochs: 15, metrics, validation: data });
    const events = await collect(run);
    const { epochs, steps, stopped } = await run;
    expect({ steps, stopped, n: epochs.length }).toEqual({ steps: 60, stopped: null, n: 15 });
    expect(events.filter((e) => e.type === "step")).toHaveLength(60);
    expect(events[3]).toMatchObject({ type: "step", epoch: 1, epochs: 15, batch: 4, batches: 4, step: 4, lr: 0.02 });
    expect(events[4]).toMatchObject({ type: "epoch", epoch: 1, step: 4, logs: epochs[0] });
    expect(Object.keys(epochs[0])).toEqual(["loss", "accuracy", "valLoss", "valAccuracy"]);
    expect(epochs[14]["valAccuracy"]).toBeGreaterThan(0.9);
    expect(epochs[14]["valLoss"]).toBeLessThan(0.5);
  });

  it("does the same as a loop by hand", async () => {
    const byHand = setUp();
    const losses: number[] = [];
    const step = compile((x: Tensor, y: Tensor) =>
      byHand.optimizer.minimize(() => crossEntropy(byHand.model.forward(x), y)),
    );
    for await (const [x, y] of byHand.data.epoch(0)) losses.push(await step(x as Tensor, y as Tensor).item());
    const { model, data, optimizer } = setUp();
    const events = await collect(fit(model, { loss: crossEntropy, optimizer, data, epochs: 1 }));
    expect(events.filter((e) => e.type === "step").map((e) => e.loss)).toEqual(losses);
    expect(await weights(model)).toEqual(await weights(byHand.model));
    const mean = (losses[0] * 16 + losses[1] * 16 + losses[2] * 16 + losses[3] * 2) / 50;
    expect((events.at(-1) as any).logs.loss).toBeCloseTo(mean, 12); // the last batch is smaller, and counts for less
  });

  it("gives the same eagerly, within rounding", async () => {
    const results = [];
    for (const compiled of [true, false]) {
      const { model, data, optimizer } = setUp();
      const { epochs } = await fit(model, {
        loss: crossEntropy,
        optimizer,
        data,
        epochs: 3,
        clip: 0.5,
        compile: compiled,
      });
      results.push(epochs.at(-1)!["loss"] as number);
    }
    expect(results[0]).toBeCloseTo(results[1], 5);
  });

  it("sets modes and puts them back; what was in evaluation inside of a training model stays so", async () => {
    const { model, data, optimizer } = setUp();
    model.eval();
    const seen: boolean[] = [];
    const callbacks = [() => void seen.push(model.training, model.drop.training)];
    await fit(model, { loss: crossEntropy, optimizer, data, epochs: 1, callbacks, validation: data });
    expect(new Set(seen)).toEqual(new Set([true]));
    expect([model.training, model.drop.training]).toEqual([false, false]);
    model.train();
    model.drop.eval();
    seen.length = 0;
    await fit(model, { loss: crossEntropy, optimizer, data, epochs: 1, callbacks });
    expect(seen.slice(0, 2)).toEqual([true, false]);
    await evaluate(model, { data, loss: crossEntropy });
    expect([model.training, model.drop.training]).toEqual([true, false]);
  });

  it("keeps memory flat", async () => {
    const { model, data, optimizer } = setUp();
    await collected();
    const bytes: number[] = [];
    const callbacks = [() => void bytes.push(memory().bytes)];
    for (const compiled of [true, false]) {
      bytes.length = 0;
      const metrics = { accuracy: new Accuracy() };
      await fit(model, {
        loss: crossEntropy,
        optimizer,
        data,
        epochs: 6,
        metrics,
        callbacks,
        compile: compiled,
        validation: data,
      });
      expect(bytes.at(-1)).toBeLessThanOrEqual(bytes[9]);
    }
  });

  describe("weights", () => {
    const model = () => {
      manualSeed(5);
      return new Sequential(new Linear(2, 3));
    };
    const { x, y } = points(8);
    const one = async (options: Partial<FitOptions>, batch: Batch) => {
      const net = model();
      const optimizer = new SGD(net.parameters(), { lr: 0.1 });
      const run = fit(net, { loss: crossEntropy, optimizer, data: [batch], epochs: 1, ...options });
      const [event] = (await collect(run)) as StepEvent[];
      return { loss: event.loss, after: await weights(net) };
    };
    const inputs = tensor(x.data, { shape: [8, 2] });
    const targets = tensor(y);

    it("of classes are those of the loss", async () => {
      const classWeights = [0.2, 1, 3];
      const own = (a: Tensor, b: Tensor) => crossEntropy(a, b, { weight: tensor(classWeights) });
      const got = await one({ classWeights }, [inputs, targets]);
      const want = await one({ loss: own }, [inputs, targets]);
      expect(got.loss).toBeCloseTo(want.loss, 6);
    });

    it("of samples: one of 0 is as if it was not there", async () => {
      const w = tensor([1, 1, 1, 1, 1, 1, 0, 0]);
      const got = await one({}, [inputs, targets, w]);
      const want = await one({}, [inputs.slice([[0, 6]]), targets.slice([[0, 6]])]);
      expect(got.loss).toBeCloseTo(want.loss, 6);
      const byFunction = await one({ sampleWeights: () => w }, [inputs, targets]);
      expect(byFunction).toEqual(got);
      expect((await one({ sampleWeights: () => w.mul(0) }, [inputs, targets])).loss).toBe(0);
    });

    it("say what is wrong", async () => {
      await expect(one({}, [inputs, targets, tensor([1, 2])])).rejects.toThrow("weights of the samples (8), got (2)");
      const scalar = (a: Tensor, b: Tensor) => crossEntropy(a, b);
      await expect(one({ loss: scalar, classWeights: [1, 2, 3] }, [inputs, targets])).rejects.toThrow(
        "a loss per sample",
      );
      const probable = targets.cast("f32").reshape([8, 1]);
      await expect(one({ loss: mse, classWeights: [1, 2, 3] }, [inputs, probable.expand([8, 3])])).rejects.toThrow(
        "class numbers",
      );
    });
  });

  describe("without targets", () => {
    const { x } = points(40);
    const data = dataset(x);
    const coder = () => {
      manualSeed(4);
      return new Sequential(new Linear(2, 3), new Linear(3, 2));
    };
    /** How far vectors are from a circle: a loss of the output alone. */
    const far = (output: Tensor) => output.square().sum([1]).sqrt().sub(1).square();
    class Far extends Module {
      forward(output: Tensor): Tensor {
        return far(output);
      }
    }

    it("the loss is of the output alone: a function or a module, compiled or not, with weights too", async () => {
      const results = [];
      for (const [loss, compiled] of [[far, true], [far, false], [new Far(), true], [{ forward: far }, true]] as const) {
        const model = coder();
        const optimizer = new Adam(model.parameters(), { lr: 0.05 });
        const { epochs } = await fit(model, { loss, optimizer, data, validation: data, epochs: 12, compile: compiled });
        expect(epochs[11]["valLoss"]).toBeLessThan((epochs[0]["loss"] as number) / 4);
        results.push(epochs[11]["loss"] as number);
      } // biome-ignore format: a table
      for (const loss of results) expect(loss).toBeCloseTo(results[0], 5);
      const model = coder();
      const whole = await evaluate(model, { data, loss: far });
      const optimizer = new SGD(model.parameters(), { lr: 0 });
      const sampleWeights = (x: Tensor) => x.select(1, 0).mul(0).add(3);
      const { epochs } = await fit(model, { loss: far, optimizer, data, epochs: 1, sampleWeights });
      expect(epochs[0]["loss"]).toBeCloseTo(whole["loss"] as number, 6);
    });

    it("says so where the loss asks for a target", async () => {
      const model = coder();
      const options = { optimizer: new Adam(model.parameters()), data, epochs: 1 };
      for (const loss of [crossEntropy, new CrossEntropyLoss(), (a: Tensor, b: Tensor) => a.sub(b)]) {
        await expect(fit(model, { ...options, loss })).rejects.toThrow(
          "batches [x] without a target. Give dataset() a second column",
        );
      }
      await expect(fit(model, { ...options, loss: far, classWeights: [1, 2] })).rejects.toThrow("got no targets");
      const metrics = { accuracy: new Accuracy() };
      await expect(fit(model, { ...options, loss: far, metrics })).rejects.toThrow("batches [x] without a target");
    });
  });

  it("keeps as many traces as it is told", async () => {
    let traces = 0;
    class Counted extends Module {
      weight = new Variable(tensor([1]));
      forward(x: Tensor): Tensor {
        traces++;
        return x.mul(this.weight.value);
      }
    }
    const model = new Counted();
    const data: Batch[] = [1, 2, 3].map((n) => [tensor(Array(n).fill(1)), tensor(Array(n).fill(2))]);
    const optimizer = new SGD(model.parameters(), { lr: 0.1 });
    const count = async (run: () => PromiseLike<unknown>) => {
      traces = 0;
      await run();
      return traces;
    };
    const train = (rest: Partial<FitOptions>) => fit(model, { loss: mse, optimizer, data, epochs: 2, ...rest });
    expect(await count(() => train({}))).toBe(3);
    expect(await count(() => train({ maxTraces: 1 }))).toBe(6);
    const twice = [...data, ...data];
    expect(await count(() => evaluate(model, { data: twice, maxTraces: 2 }))).toBe(6);
    expect(await count(() => predict(model, twice, { maxTraces: 3 }))).toBe(3);
  });

  it("accumulates batches: two of 8 are as one of 16, and what is left makes an update, too", async () => {
    const run = async (batchSize: number, accumulate: number) => {
      manualSeed(2);
      const model = new Sequential(new Linear(2, 3));
      const { x, y } = points(40);
      const data = loader(dataset(x, y), { batchSize });
      const optimizer = new SGD(model.parameters(), { lr: 0.1 });
      const events = await collect(fit(model, { loss: crossEntropy, optimizer, data, epochs: 2, accumulate }));
      return events.filter((e) => e.type === "step").map((e) => e.loss);
    };
    const [a, b] = [await run(16, 1), await run(8, 2)];
    expect(b).toHaveLength(6);
    for (const [i, loss] of b.entries()) expect(loss).toBeCloseTo(a[i], 5);
  });

  it("scales the loss, with the same weights as without, also when it goes on from a checkpoint", async () => {
    const run = async (scaler?: GradScaler, rest: Partial<FitOptions> = {}) => {
      const { model, data, optimizer } = setUp();
      const scaled = scaler ? { scaler } : {};
      await fit(model, { loss: crossEntropy, optimizer, data, epochs: 3, clip: 0.5, ...scaled, ...rest });
      return { weights: await weights(model), scale: await scaler?.getScale().item() };
    };
    const plain = await run();
    const scaler = () => new GradScaler({ growthInterval: 5 });
    const whole = await run(scaler());
    expect(whole).toEqual({ ...plain, scale: 2 ** 18 }); // 12 steps
    const store = memoryStore();
    await run(scaler(), { epochs: 1, callbacks: [saveLast(store)] });
    expect(await run(scaler(), { resume: await loadCheckpoint(store, "last"), callbacks: [saveLast(store)] })).toEqual(
      whole,
    );
    await expect(run(scaler(), { accumulate: 2 })).rejects.toThrow(/fit: expected scaler or accumulate, got both/);
  });

  it("passes over steps whose scaled gradients overflow, and tells a loss that is NaN", async () => {
    const { model, data, optimizer } = setUp();
    const scaler = new GradScaler({ initScale: 2 ** 127, backoffFactor: 2 ** -20 });
    const loss = (output: Tensor, target: Tensor) => crossEntropy(output.mul(64), target).mul(64);
    await fit(model, { loss, optimizer, data, epochs: 1, scaler, callbacks: [stopOnNaN()] });
    expect(await scaler.getScale().item()).toBe(2 ** 107);
    const broken = fit(model, {
      loss: (output: Tensor, target: Tensor) => crossEntropy(output, target).log().neg().sqrt().sub(1e9).sqrt(),
      ...{ optimizer, data, epochs: 1, scaler, callbacks: [stopOnNaN()] },
    });
    await expect(broken).rejects.toThrow(/NaN/);
  });

  it("steps schedules by epoch, by step, or with a figure", async () => {
    const lrs = async (make: (o: Adam) => Partial<FitOptions>, epochs = 2) => {
      const { model, data, optimizer } = setUp();
      const schedule = make(optimizer);
      const events = await collect(fit(model, { loss: crossEntropy, optimizer, data, epochs, ...schedule }));
      return events.filter((e) => e.type === "step").map((e) => e.lr);
    };
    const step = (o: Adam) => ({ schedule: new StepLR(o, { stepSize: 1, gamma: 0.5 }) });
    expect(await lrs(step)).toEqual([0.02, 0.02, 0.02, 0.02, 0.01, 0.01, 0.01, 0.01]);
    const cycle = (o: Adam) => ({
      schedule: new OneCycleLR(o, { maxLr: 0.1, totalSteps: 8 }),
      scheduleEvery: "step" as const,
    });
    expect(new Set(await lrs(cycle)).size).toBe(8);
    const plateau = (o: Adam) => ({ schedule: new ReduceLROnPlateau(o, { patience: 0, threshold: 1e9, factor: 0.5 }) });
    expect((await lrs(plateau, 4)).filter((_, i) => i % 4 === 0)).toEqual([0.02, 0.02, 0.01, 0.005]);
    await expect(lrs((o) => ({ ...plateau(o), monitor: "speed" }))).rejects.toThrow(
      'monitor to be one of "loss", got "speed"',
    );
  });

  it("tells a function that makes the schedule how many steps there are", async () => {
    const run = (schedule: FitOptions["schedule"], rest: Partial<FitOptions> = {}) => {
      const { model, data, optimizer } = setUp(); // 4 batches
      return collect(fit(model, { loss: crossEntropy, optimizer, data, epochs: 2, schedule, ...rest } as FitOptions));
    };
    const lrs = (events: TrainEvent[]) => events.filter((e) => e.type === "step").map((e) => e.lr);
    for (const annealStrategy of ["cos", "linear"] as const) {
      const given = await run((o, { steps }) => new OneCycleLR(o, { maxLr: 0.1, totalSteps: steps, annealStrategy }));
      const { model, optimizer } = setUp();
      const own = new OneCycleLR(new Adam(model.parameters()), { maxLr: 0.1, totalSteps: 8, annealStrategy });
      const want = Array.from({ length: 8 }, () => {
        const [lr] = own.getLastLr();
        own.step(); // 8 times, as in PyTorch: a ninth would be an error
        return lr;
      });
      expect(lrs(given)).toEqual(want);
      expect(optimizer.lr).toBe(0.02);
    }
    const told: number[] = [];
    const listen: FitOptions["schedule"] = (o, { steps, stepsPerEpoch }) => {
      told.push(steps, stepsPerEpoch);
      return new PolynomialLR(o, { totalIters: steps });
    };
    expect(lrs(await run(listen, { accumulate: 3 }))).toEqual(
      [0.02, 0.015, 0.01, 0.005].map((v) => expect.closeTo(v, 12)),
    );
    await run(listen, { epochs: 0 });
    expect(told).toEqual([4, 2, 1, 4]);
    const byEpoch = await run((o) => new StepLR(o, { stepSize: 1, gamma: 0.5 }), { scheduleEvery: "epoch" });
    expect(lrs(byEpoch)).toEqual([0.02, 0.02, 0.02, 0.02, 0.01, 0.01, 0.01, 0.01]);
    const plateau = await run((o) => new ReduceLROnPlateau(o, { patience: 0, threshold: 1e9, factor: 0.5 }), {
      epochs: 3,
    });
    expect(lrs(plateau).filter((_, i) => i % 4 === 0)).toEqual([0.02, 0.02, 0.01]);

    const data = stream(function* () { yield [[1, 2], 0]; }, { dtypes: ["f32", "i32"] }); // biome-ignore format: short
    expect(await run((o) => new StepLR(o, { stepSize: 1 }), { data })).toHaveLength(4);
    expect(() => setUpStream(data)).toThrow(
      "data of a known length, as the schedule asks for the number of steps, got a stream",
    );
    expect(() => run((() => undefined) as never)).toThrow("got a function that gives undefined");
  });

  it("is paused, stepped, resumed, stopped and aborted", async () => {
    const { model, data, optimizer } = setUp();
    let steps = 0;
    const callbacks = [{ step: () => void steps++ }];
    const run = fit(model, { loss: crossEntropy, optimizer, data, epochs: 1000, callbacks });
    run.pause();
    const history = run.then((h) => h);
    const wait = () => new Promise((resolve) => setTimeout(resolve, 20));
    await wait();
    expect([steps, run.paused]).toEqual([0, true]);
    run.step();
    await wait();
    expect([steps, run.paused]).toEqual([1, true]);
    run.step(2);
    await wait();
    expect(steps).toBe(3);
    run.resume();
    await wait();
    expect(steps).toBeGreaterThan(3);
    run.stop("enough");
    expect(await history).toMatchObject({ stopped: "enough" });

    const abort = new AbortController();
    const aborted = fit(model, { loss: crossEntropy, optimizer, data, epochs: 1000, signal: abort.signal });
    aborted.pause();
    setTimeout(() => abort.abort(new Error("the page was closed")), 5);
    await expect(aborted).rejects.toThrow("the page was closed");
    expect(model.training).toBe(true);
  });

  it("stops where the loop over its events is left, and is iterated once", async () => {
    const { model, data, optimizer } = setUp();
    let ended = 0;
    const run = fit(model, {
      loss: crossEntropy,
      optimizer,
      data,
      epochs: 9,
      callbacks: [{ end: () => void ended++ }],
    });
    for await (const event of run) if (event.step === 2) break;
    expect(await run).toEqual({ epochs: [], steps: 2, stopped: "the loop over its events was left" });
    expect(ended).toBe(1);
    expect(() => run[Symbol.asyncIterator]()).toThrow("to be iterated once");
  });

  it("lets others have the thread", async () => {
    const { model, data, optimizer } = setUp();
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    const busy = () => {
      const end = performance.now() + 2;
      while (performance.now() < end);
    };
    const { steps } = await fit(model, { loss: crossEntropy, optimizer, data, epochs: 10, callbacks: [busy] });
    clearInterval(timer);
    expect(steps).toBe(40);
    expect(ticks).toBeGreaterThan(4);
  });

  it("says what is wrong with its options", () => {
    const { model, data, optimizer } = setUp();
    const good: FitOptions = { loss: crossEntropy, optimizer, data, epochs: 1 };
    expect(() => fit(model, { ...good, loss: undefined as any })).toThrow("loss: a function of output and target");
    expect(() => fit(model, { ...good, optimizer: {} as any })).toThrow("optimizer: e.g. new Adam");
    expect(() => fit(model, { ...good, data: 3 as any })).toThrow("data: a loader, a dataset, or an array of batches");
    expect(() => fit(model, { ...good, epochs: 1.5 })).toThrow("epochs to be a whole number, 0 or more, got 1.5");
    expect(() => fit(model, { ...good, data: [] })).toThrow("at least one batch");
  });
});

describe("stopOnNaN", () => {
  afterAll(() => setBackend(reference()));
  class Faulty extends Module {
    fc = new Linear(2, 2);
    inner = new (class Root extends Module {
      forward(x: Tensor): Tensor {
        return x.sqrt();
      }
    })();
    forward(x: Tensor): Tensor {
      return this.inner.forward(this.fc.forward(x));
    }
  }
  const train = async (x: Tensor, options: Partial<FitOptions>) => {
    manualSeed(1);
    const model = new Faulty();
    model.fc.weight.value = tensor([
      [1, 0],
      [0, 1],
    ]);
    model.fc.bias!.value = tensor([1, 1]);
    const optimizer = new Adam(model.parameters(), { lr: 0 });
    const good = tensor([[1, 2]]);
    const y = tensor([[1, 1]]);
    const data: Batch[] = [
      [good, y],
      [x, y],
      [good, y],
    ];
    const run = fit(model, { loss: mse, optimizer, data, epochs: 1, callbacks: [stopOnNaN()], ...options });
    return { model, run };
  };

  it.each(["wasm", "compiled", "eager"])(
    "names the module, and leaves the model as it was before (%s)",
    async (how) => {
      setBackend(how === "wasm" ? await wasm({ threads: 1 }) : reference());
      const compiled = how !== "eager";
      const { model, run } = await train(tensor([[-9, 2]]), { compile: compiled });
      await expect(run).rejects.toThrow(
        /^Root "inner": sqrt: expected a finite loss and finite gradients in epoch 1, batch 2 \(step 2\), got NaN in the result/,
      );
      const values = Object.values(await weights(model)).flat(2) as number[];
      expect(values.every(Number.isFinite)).toBe(true);
    },
  );

  it("finds what only the gradients show", async () => {
    const { run } = await train(tensor([[-1, 2]]), {}); // √0 has no slope
    await expect(run).rejects.toThrow("an infinite gradient");
  });

  it("does not change training", async () => {
    const results = [];
    for (const callbacks of [[], [stopOnNaN()]]) {
      const { model, data, optimizer } = setUp();
      await fit(model, { loss: crossEntropy, optimizer, data, epochs: 2, callbacks });
      results.push(await weights(model));
    }
    expect(results[0]).toEqual(results[1]);
  });
});

describe("evaluate and predict", () => {
  it("give what the model gives, batch by batch", async () => {
    const { model, data } = setUp();
    const { x, y } = points(50);
    const all = tensor(x.data, { shape: [50, 2] });
    const want = model.eval().forward(all);
    const got = await predict(model, all, { batchSize: 7 });
    expect(got.shape).toEqual([50, 3]);
    expect(await got.sub(want).abs().max().item()).toBeLessThan(1e-6);
    expect((await predict(model, data)).shape).toEqual([50, 3]);
    const logs = await evaluate(model, {
      data: batches([[all, tensor(y)]]),
      loss: crossEntropy,
      metrics: { accuracy: new Accuracy() },
    });
    const inBatches = await evaluate(model, { data: dataset(x, y), loss: crossEntropy, compile: false });
    expect(logs["loss"]).toBeCloseTo(await crossEntropy(want, tensor(y)).item(), 6);
    expect(inBatches["loss"]).toBeCloseTo(logs["loss"] as number, 6);
    const decided = (await want.argmax(1).read()) as Int32Array;
    expect(logs["accuracy"]).toBe(decided.filter((c, i) => c === y[i]).length / 50);
    await expect(evaluate(model, { data: [[all]], loss: crossEntropy })).rejects.toThrow(
      "batches [x] without a target",
    );
  });

  it("predict takes apart and puts together structures", async () => {
    class Two extends Module {
      scale = new Variable(tensor([2]));
      forward({ a, b }: { a: Tensor; b: Tensor }) {
        return { sum: a.add(b).mul(this.scale.value), parts: [a, b] };
      }
    }
    const list: Batch[] = [1, 2].map((k) => [{ a: tensor([k, k]), b: tensor([1, 1]) }] as const);
    const out = await predict<{ sum: Tensor; parts: Tensor[] }>(new Two(), list);
    expect(await out.sum.toArray()).toEqual([4, 4, 6, 6]);
    expect(await out.parts[0].toArray()).toEqual([1, 1, 2, 2]);
  });
});
