// What the kill test kills: trains a small net with everything that has state, saves after every step, and goes on where
// it was. Says what it does on the standard output: "resumed STEP", "write", "written STEP", and at the end "done HASH".
// Arguments: the folder of the checkpoints.

import { createHash } from "node:crypto";
import { saveSafetensors } from "@nn/io";
import { BatchNorm1d, crossEntropy, Dropout, Linear, Sequential } from "@nn/layers";
import { AdamW, CosineAnnealingLR } from "@nn/optim";
import { manualSeed, randn, reference, setBackend } from "@nn/tensor";
import { Accuracy, dataset, EarlyStopping, fit, loadCheckpoint, loader, saveLast } from "@nn/train";
import { files } from "@nn/train/node";

const say = (text) => process.stdout.write(`${text}\n`); // at once, as it is a pipe

setBackend(reference());
manualSeed(5);
const n = 30;
const x = Float32Array.from({ length: 2 * n }, (_, i) => Math.sin(i * i));
const y = Int32Array.from({ length: n }, (_, i) => i % 3);
const data = dataset({ data: x, shape: [2] }, y);
const model = new Sequential(new Linear(2, 64), new BatchNorm1d(64), new Dropout(0.2), new Linear(64, 3));
const optimizer = new AdamW(model.parameters(), { lr: 0.01 });

const disk = files(process.argv[2]);
let step = 0;
const store = {
  ...disk,
  async write(name, bytes) {
    say("write");
    await disk.write(name, bytes);
    say(`written ${step}`);
  },
};
const resume = await loadCheckpoint(store, "last");
say(`resumed ${resume?.progress.step ?? 0}`);
const history = await fit(model, {
  loss: crossEntropy,
  optimizer,
  data: loader(data, {
    batchSize: 8,
    shuffle: true,
    prefetch: 1,
    map: ([a, b], { generator }) => [a.add(randn(a.shape, { generator }).mul(0.1)), b],
  }),
  validation: data,
  epochs: 12,
  schedule: new CosineAnnealingLR(optimizer, { tMax: 12 }),
  metrics: { accuracy: new Accuracy() },
  callbacks: [
    {
      step: (event) => {
        step = event.step;
      },
    },
    new EarlyStopping({ monitor: "valAccuracy", patience: 8 }),
    saveLast(store, { everySteps: 1 }),
  ],
  resume,
});
const hash = createHash("sha256");
hash.update(await saveSafetensors({ ...model.stateDict(), ...optimizer.stateDict() }));
hash.update(JSON.stringify(history));
say(`done ${hash.digest("hex")}`);
