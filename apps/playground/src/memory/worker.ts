// The worker of the page "Memory lab": trains one recurrent network on a task that only a memory solves, and looks at its gradients and
// gates. The page starts three.

import { adding, recall, type Sequences } from "@nn/examples/memory-tasks";
import { random } from "@nn/examples/random";
import { Linear } from "@nn/layers";
import { Adam } from "@nn/optim";
import { gateActivations, gradientNorms } from "@nn/recurrent";
import { Module, type Tensor, tensor } from "@nn/tensor";
import { Accuracy, type Callback, type Loader } from "@nn/train";
import { take } from "../worker/read.js";
import { recurrences } from "../worker/recurrences.js";
import { serveLane } from "../worker/serve.js";
import { type Cell, type CellSettings, learningRate, makeLayer } from "./cells.js";
import { Rows } from "./rows.js";

export interface MemorySettings extends CellSettings {
  readonly task: string;
  /** Length of the sequences. */
  readonly steps: number;
  readonly clip: boolean;
}

const [BATCH, TEST] = [32, 250];
/** Batches of an epoch: after so many it is tested. */
const EPOCH = 20;

/** What goes on inside for one sequence: by name, values (T, hidden) from 0 to 1, or -1 to 1 for n, g and h. */
export interface Inside {
  readonly parts: Readonly<Record<string, Float32Array>>;
  readonly hidden: number;
  /** 1 where something stands that must be remembered. */
  readonly marks: Float32Array;
}

/** Reads a sequence x (N, T, features), and answers after its last step: (N, outputs). */
class Reader extends Module {
  readonly head: Linear;
  constructor(
    readonly rnn: ReturnType<typeof makeLayer>,
    outputs: number,
  ) {
    super();
    this.head = new Linear(rnn.hiddenSize, outputs);
  }
  override forward(x: Tensor): Tensor {
    return this.head.forward(this.rnn.forward(x).output.select(1, -1));
  }
}

serveLane<MemorySettings>(recurrences, (settings, _, lane) => {
  const cell = lane as Cell;
  const task = settings.task === "adding" ? adding : recall;
  const T = settings.steps;
  const toTensors = ({ x, y }: Sequences): [Tensor, Tensor] => [
    tensor(x, { shape: [y.length, T, task.features] }),
    tensor(y),
  ];

  const layer = makeLayer(cell, task.features, settings);
  const model = new Reader(layer, task.outputs);

  // All three see the same sequences: new ones in every batch.
  let began = 0;
  const data: Loader = {
    length: EPOCH,
    signature: JSON.stringify({ task: task.name, T, BATCH }),
    async *epoch(epoch, from = 0) {
      for (let i = from; i < EPOCH; i++) {
        const batch = toTensors(task.draw(BATCH, T, random(1 + epoch * EPOCH + i)));
        began = performance.now();
        yield batch;
      }
    },
  };
  const test = toTensors(task.draw(TEST, T, random(999_999)));
  const probe = toTensors(task.draw(16, T, random(999_998)));

  const rows = new Rows(T);
  let times: number[] = []; // of the last steps; the median leaves out those that waited for their turn
  const watch: Callback = {
    order: -2,
    async step({ step }) {
      times = [performance.now() - began, ...times].slice(0, 41);
      if (!rows.wants(step)) return;
      const [{ norms }] = gradientNorms(layer, () => task.loss(model.forward(probe[0]), probe[1]));
      rows.add(step, (await norms.read()) as Float32Array);
      norms.dispose();
    },
    save: () => ({ json: rows }),
    load: ({ json }) => rows.load(json as Rows),
  };

  const inside = async (number: number): Promise<Inside> => {
    const { x, y } = task.draw(1, T, random(5000 + number));
    const [input, answer] = toTensors({ x, y });
    const [{ gates, output }] = gateActivations(layer, () => model.forward(input).dispose());
    const parts: Record<string, Float32Array> = { h: await take(output) };
    for (const [name, gate] of Object.entries(gates)) parts[name] = await take(gate);
    for (const t of [input, answer]) t.dispose();
    const F = task.features;
    const marks = Float32Array.from({ length: T }, (_, t) => {
      const own = x.subarray(t * F, (t + 1) * F);
      return F === 2 ? own[1] : own.indexOf(1) < task.outputs ? 1 : 0;
    });
    return { parts, hidden: settings.hidden, marks };
  };

  return {
    model,
    loss: task.loss,
    optimizer: new Adam(model.parameters(), { lr: learningRate(cell, settings) }),
    data,
    validation: [test],
    ...(task === recall ? { metrics: { accuracy: new Accuracy() } } : {}),
    ...(settings.clip ? { clip: 1 } : {}),
    callbacks: [watch],
    answers: {
      rows: () => rows.toJSON(),
      inside,
      milliseconds: () => times.toSorted((a, b) => a - b)[times.length >> 1] ?? 0,
    },
  };
});
