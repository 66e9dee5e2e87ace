/** `verification`: are these two the same? A network learns a distance from some classes, by triplets, and judges others by it. */
import { Conv2d, MaxPool2d } from "@nn/conv";
import { BatchNorm2d, Flatten, Linear, normalize, ReLU, Sequential, tripletMargin } from "@nn/layers";
import { Adam, OneCycleLR } from "@nn/optim";
import { chunk, Module, manualSeed, type Tensor } from "@nn/tensor";
import { AUC, dataset, fit, loader, predict } from "@nn/train";
import { COMMON_HELP, type CommonOptions, parseArguments } from "./arguments.js";
import { drawCharacters } from "./characters.js";
import { IMAGE } from "./dataset.js";
import type { Example } from "./example.js";
import { follow } from "./follow.js";
import { readMnist } from "./idx.js";
import { pictureFile } from "./plot.js";
import { random } from "./random.js";
import { drawPairs, drawTriplets, ofClasses } from "./verification-data.js";
import { drawCurves, drawPairsOf } from "./verification-pictures.js";
import { equalErrorRate, errorsAt } from "./verification-scores.js";

export interface VerificationOptions extends CommonOptions {
  /** Folder of MNIST's files, or such of Fashion-MNIST; null: invented characters. */
  readonly data: string | null;
  readonly epochs: number;
  /** Where the pictures go; null: a temporary folder. */
  readonly out: string | null;
}

export const verification: Example<VerificationOptions> = {
  help: `Trains a network by triplets to tell whether two images show the same character, and tests it on characters that
it has never seen, as one verifies faces.

Usage: npm run example -- verification [options]

  --data DIR         the folder with the four .gz files of MNIST or Fashion-MNIST: classes
                     0 to 6 to train on, 7 to 9 to test on (invented characters)
  --epochs N         passes of 6400 triplets (12; 3 of 1280 with --quick)
  --out DIR          for the pictures (a temporary folder)
${COMMON_HELP}  --help             show this
`,

  parse(args, folder) {
    const seeHelp = "See npm run example -- verification --help.";
    const given = parseArguments(args, { own: ["data", "epochs", "out"], folder, seeHelp });
    const epochs = given.integer("epochs", 1, 1000) ?? (given.common.quick ? 3 : 12);
    return { ...given.common, data: given.path("data"), epochs, out: given.path("out") };
  },

  async run({ data, epochs, out, seed, quick }, terminal, backend) {
    const sets = data ? readMnist(data) : null;
    const training = sets ? ofClasses(sets.train, (c) => c < 7) : drawCharacters(quick ? 100 : 400, 20, 2 * seed);
    const test = sets ? ofClasses(sets.test, (c) => c >= 7) : drawCharacters(50, 20, 2 * seed + 1);
    const [known, unknown] = [training, test].map(({ labels }) => new Set(labels).size);
    terminal.line(
      `${training.count} images of ${known} classes to train on, ${test.count} of ${unknown} others to test on.`,
    );
    terminal.line(`Adam, ${epochs} epochs; seed ${seed}, ${backend}.\n`);

    manualSeed(seed);
    const model = embedder();
    const triplets = loader(drawTriplets(training, quick ? 1280 : 6400, random(seed)));
    const start = performance.now();
    const run = fit(model, {
      loss(vectors: Tensor) {
        const [anchor, positive, negative] = chunk(vectors, 3);
        return tripletMargin(anchor, positive, negative, { margin: 0.5, swap: true });
      },
      optimizer: new Adam(model.parameters()),
      schedule: (optimizer, { steps }) => new OneCycleLR(optimizer, { maxLr: 0.004, totalSteps: steps }),
      data: triplets,
      epochs,
    });
    await follow(run, terminal);
    terminal.line(`\nTraining took ${((performance.now() - start) / 1000).toFixed(1)} s.`);

    const vectors = await predict(model, dataset({ data: test.inputs, shape: IMAGE }));
    const pairs = drawPairs(test, quick ? 1000 : 4000, random(seed)).map(([a, b]) => ({
      a,
      b,
      same: test.labels[a] === test.labels[b],
    }));
    const judge = async (name: string, values: Float32Array) => {
      const size = values.length / test.count;
      const row = (i: number) => values.subarray(i * size, (i + 1) * size);
      const distances = pairs.map(({ a, b }) => Math.hypot(...row(a).map((value, k) => value - row(b)[k])));
      const same = pairs.map((pair) => pair.same);
      const auc = new AUC();
      await auc.update(
        distances.map((d) => -d),
        same.map(Number),
      );
      const errors = errorsAt(distances, same);
      return { name, distances, errors, auc: auc.result(), ...equalErrorRate(errors) };
    };
    const own = await judge("network", (await vectors.read()) as Float32Array);
    const pixels = await judge("pixels", test.inputs);
    terminal.table([
      ["distance of", "equal error rate", "area under the ROC curve"],
      ...[own, pixels].map(({ name, rate, auc }) => [name, percent(rate), auc.toFixed(4)]),
    ]);

    const [curves, picture] = ["verification.svg", "verification.png"].map((name) => pictureFile(out, name));
    drawCurves(curves, [own, pixels]);
    drawPairsOf(test, pairs, own).save(picture);
    terminal.line(`\nBoth errors, threshold by threshold: ${curves}`);
    terminal.line(`Some pairs with their distances (green: judged right): ${picture}`);
    const [value, baseline] = [100 * own.rate, 100 * pixels.rate];
    return { metric: "% equal errors", value, baseline, against: "distance of pixels", lowerIsBetter: true };
  },
};

/** Images (N, 1, 28, 28) → vectors of length 1 (N, 32). */
function embedder(): Sequential {
  const block = (from: number, to: number) => [
    new Conv2d(from, to, 3, { padding: 1, bias: false }),
    new BatchNorm2d(to),
    new ReLU(),
    new MaxPool2d(2),
  ];
  const layers = [...block(1, 16), ...block(16, 32), ...block(32, 64)];
  return new Sequential(...layers, new Flatten(), new Linear(64 * 3 * 3, 32), new UnitLength());
}

class UnitLength extends Module {
  override forward(x: Tensor): Tensor {
    return normalize(x);
  }
}

// ---------------------------------------------------------------------------------------------

const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;
