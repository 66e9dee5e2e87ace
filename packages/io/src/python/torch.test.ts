// Weights saved here load in PyTorch with strict=True and give the same outputs, and back.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Conv2d, MaxPool2d } from "@nn/conv";
import { BatchNorm1d, BatchNorm2d, Flatten, Linear, ReLU, Sequential } from "@nn/layers";
import { GRU, LSTM } from "@nn/recurrent";
import { Module, manualSeed, randn, type Tensor } from "@nn/tensor";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadNpz, loadSafetensors, saveNpz, saveSafetensors } from "../index.js";
import { readPath, writePath } from "../node/index.js";
import { python, whyNot } from "./run.js";

class CNN extends Module {
  conv1 = new Conv2d(1, 4, 3, { padding: 1 });
  conv2 = new Conv2d(4, 6, 3);
  pool = new MaxPool2d(2);
  fc = new Linear(24, 5);

  override forward(x: Tensor): Tensor {
    const y = this.pool.forward(this.conv1.forward(x).relu());
    return this.fc.forward(this.pool.forward(this.conv2.forward(y).relu()).reshape([x.shape[0], -1]));
  }
}

class Recurrent extends Module {
  rnn: LSTM | GRU;
  fc = new Linear(14, 2);

  constructor(Layer: typeof LSTM | typeof GRU) {
    super();
    this.rnn = new Layer(3, 7, { numLayers: 2, bidirectional: true, batchFirst: true });
  }

  override forward(x: Tensor): Tensor {
    return this.fc.forward(this.rnn.forward(x).output);
  }
}

const norms = () =>
  new Sequential(
    new Conv2d(2, 4, 3, { bias: false }),
    new BatchNorm2d(4),
    new ReLU(),
    new Flatten(),
    new Linear(36, 6),
    new BatchNorm1d(6),
  );

const nets: Record<string, { make: () => Module & { forward(x: Tensor): Tensor }; x: readonly number[] }> = {
  cnn: { make: () => new CNN(), x: [3, 1, 12, 12] },
  lstm: { make: () => new Recurrent(LSTM), x: [4, 6, 3] },
  gru: { make: () => new Recurrent(GRU), x: [4, 6, 3] },
  norms: { make: norms, x: [8, 2, 5, 5] },
};

const reason = whyNot("torch");

describe.skipIf(reason)(`round trip with PyTorch${reason ? ` (${reason})` : ""}`, () => {
  const folder = mkdtempSync(join(tmpdir(), "nn-torch-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  beforeAll(async () => {
    manualSeed(1);
    for (const [name, { make, x: shape }] of Object.entries(nets)) {
      const net = make();
      for (let i = 0; i < 3; i++) net.train().forward(randn(shape).mul(2).add(1));
      const x = randn(shape);
      const y = net.eval().forward(x);
      await writePath(join(folder, `${name}.ours.safetensors`), await saveSafetensors(net.stateDict()));
      await writePath(join(folder, `${name}.ours.npz`), await saveNpz({ x, y }));
    }
    python("torch_twins.py", folder); // fails if PyTorch refuses a state, or its outputs differ by more than 1e-5
  });

  test.each(Object.entries(nets))("%s", async (name, { make }) => {
    const read = (file: string) => readPath(join(folder, `${name}.torch.${file}`));
    const { x, y } = loadNpz(await read("npz"));
    const wanted = await y.read();
    const states = [loadSafetensors(await read("safetensors")), loadNpz(await read("state.npz"))];
    for (const state of states) {
      const net = make().eval();
      expect(net.loadStateDict(state)).toEqual({ missing: [], unexpected: [] });
      const got = await net.forward(x).read();
      const largest = Math.max(...got.map((v, i) => Math.abs(v - wanted[i])));
      expect(largest).toBeLessThanOrEqual(1e-5);
      for (const key of Object.keys(state).filter((key) => key.endsWith("num_batches_tracked"))) {
        expect(await net.stateDict()[key].item()).toBe(5);
      }
    }
  });
});
