// The worker of the page "Digits": trains the network, and says what it sees in a picture.

import { crossEntropy } from "@nn/layers";
import { activations, filterImages, saliency } from "@nn/models";
import { Adam } from "@nn/optim";
import { type Tensor, tensor } from "@nn/tensor";
import { Accuracy, loader } from "@nn/train";
import { convolutions } from "../worker/convolutions.js";
import { probabilities, take } from "../worker/read.js";
import { serveLane } from "../worker/serve.js";
import { digits } from "./data.js";
import { DigitNet, type NetOptions, STAGES } from "./net.js";

interface DigitSettings extends NetOptions {
  readonly data: string;
  readonly count: number;
  readonly lr: number;
  readonly batch: number;
}

/** Numbers with their shape. */
export interface Picture {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** What the network makes of a picture. */
export interface Look {
  readonly probabilities: Float32Array;
  /** By stage: (1, channels, height, width). */
  readonly stages: Readonly<Record<string, Picture>>;
  /** How much each pixel moves the class in question (28, 28). */
  readonly saliency: Picture;
  readonly filters: Picture;
}

/** Test digits that are read wrong: how many of how many, and some of them. */
export interface Mistakes {
  readonly wrong: readonly Mistake[];
  readonly count: number;
  readonly of: number;
}
interface Mistake {
  readonly pixels: Float32Array;
  readonly label: number;
  readonly said: number;
  readonly probability: number;
}

serveLane<DigitSettings>(convolutions, async (settings, files) => {
  const { train, test, images, labels } = await digits(settings.data, settings.count, files);
  const model = new DigitNet(settings);

  const look = async (pixels: Float32Array): Promise<Look> => {
    const x = tensor(pixels, { shape: [1, 1, 28, 28] });
    const seen = activations(model, x, [...STAGES.map(([name]) => name), "fc"]);
    const odds = await take(seen["fc"].softmax(1));
    const top = odds.indexOf(Math.max(...odds));
    const stages = await Promise.all(STAGES.map(async ([name]) => [name, await picture(seen[name])] as const));
    const moved = await picture(saliency(model, x, top, { maxOverChannels: true }));
    const filters = await picture(filterImages(model.conv1));
    seen["fc"].dispose();
    x.dispose();
    return { probabilities: odds, stages: Object.fromEntries(stages), saliency: moved, filters };
  };

  const mistakes = async (most: number): Promise<Mistakes> => {
    const data = await probabilities(model, tensor(images, { shape: [labels.length, 1, 28, 28] }));
    const all = Array.from(labels, (label, i) => {
      const own = data.subarray(10 * i, 10 * i + 10);
      const said = own.indexOf(Math.max(...own));
      return { i, label, said, probability: own[said] };
    }).filter(({ label, said }) => label !== said);
    const wrong = all.sort((a, b) => b.probability - a.probability).slice(0, most);
    return {
      wrong: wrong.map(({ i, ...mistake }) => ({ ...mistake, pixels: images.slice(784 * i, 784 * i + 784) })),
      count: all.length,
      of: labels.length,
    };
  };

  return {
    model,
    loss: crossEntropy,
    optimizer: new Adam(model.parameters(), { lr: settings.lr }),
    data: loader(train, { batchSize: settings.batch, shuffle: true, seed: 1 }),
    validation: loader(test, { batchSize: 250 }),
    metrics: { accuracy: new Accuracy() },
    answers: { look, mistakes },
  };
});

const picture = async (t: Tensor): Promise<Picture> => ({ shape: t.shape, data: await take(t) });
