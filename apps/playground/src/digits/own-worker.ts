// The worker of "your own things": a small CNN, from nothing, on a few pictures that are turned over, shifted and made noisy.

import { Conv2d, MaxPool2d } from "@nn/conv";
import { crossEntropy, Linear } from "@nn/layers";
import { Adam } from "@nn/optim";
import { Module, scope, type Tensor, tensor } from "@nn/tensor";
import { Accuracy, augment, dataset, loader, noise, randomFlip, randomShift } from "@nn/train";
import { convolutions } from "../worker/convolutions.js";
import { probabilities } from "../worker/read.js";
import { serveLane } from "../worker/serve.js";
import { readOwn, SIDE, SIZE } from "./own-images.js";

/** x (N, 3, 48, 48), 0 to 1 → logits (N, classes). */
class ThingNet extends Module {
  readonly conv1 = new Conv2d(3, 12, 3, { padding: "same" });
  readonly conv2 = new Conv2d(12, 24, 3, { padding: "same" });
  readonly conv3 = new Conv2d(24, 32, 3, { padding: "same" });
  readonly pool = new MaxPool2d(2);
  readonly fc: Linear;

  constructor(classes: number) {
    super();
    this.fc = new Linear(32 * 6 * 6, classes);
  }

  override forward(x: Tensor): Tensor {
    return scope(() => {
      x = x.sub(0.5).mul(4);
      for (const conv of [this.conv1, this.conv2, this.conv3]) x = this.pool.forward(conv.forward(x).relu());
      return this.fc.forward(x.flatten(1));
    });
  }
}

serveLane<{ readonly things: number }>(convolutions, async ({ things }, files) => {
  const own = await readOwn(files);
  // A network that was kept or loaded answers without pictures, too; the page lets nobody train on none.
  const { labels, pixels } = own.labels.length > 0 ? own : { labels: [0], pixels: new Uint8Array(SIZE) };
  const pictures = dataset({ data: pixels, shape: [3, SIDE, SIDE], scale: 1 / 255 }, Int32Array.from(labels));
  const model = new ThingNet(things);
  return {
    model,
    loss: crossEntropy,
    optimizer: new Adam(model.parameters(), { lr: 0.002 }),
    clip: 1,
    data: {
      ...loader(pictures, { batchSize: 16, shuffle: true, map: augment(randomFlip(), randomShift(5), noise(0.03)) }),
      signature: "own pictures", // a network stays what it is when there are more pictures
    },
    metrics: { accuracy: new Accuracy() },
    answers: {
      guess(picture: Uint8Array) {
        const values = Float32Array.from(picture, (v) => v / 255);
        return probabilities(model, tensor(values, { shape: [1, 3, SIDE, SIDE] }));
      },
    },
  };
});
