/** `segmentation`: a U-Net that finds the cells in pictures of a microscope, pixel by pixel. */
import { binaryCrossEntropyWithLogits } from "@nn/layers";
import { unet } from "@nn/models";
import { Adam, OneCycleLR } from "@nn/optim";
import { manualSeed, type Tensor } from "@nn/tensor";
import { dataset, fit, loader, predict } from "@nn/train";
import { COMMON_HELP, type CommonOptions, parseArguments } from "./arguments.js";
import { type CellImage, drawCells, otsu, CELLS_SIDE as SIDE } from "./cells.js";
import { joined } from "./dataset.js";
import type { Example } from "./example.js";
import { follow } from "./follow.js";
import { BLUE, GREEN, grey, Picture, RED } from "./picture-png.js";
import { pictureFile } from "./plot.js";
import { random } from "./random.js";

export interface SegmentationOptions extends CommonOptions {
  readonly epochs: number;
  /** Where the picture goes; null: a temporary folder. */
  readonly out: string | null;
}

export const segmentation: Example<SegmentationOptions> = {
  help: `Trains a U-Net to find cells in pictures as of a microscope, drawn anew for each seed: cells overlap, the light is uneven.

Usage: npm run example -- segmentation [options]

  --epochs N         passes over the images (12; 4 with --quick)
  --out DIR          for the picture of what was found (a temporary folder)
${COMMON_HELP}  --help             show this
`,

  parse(args, folder) {
    const seeHelp = "See npm run example -- segmentation --help.";
    const given = parseArguments(args, { own: ["epochs", "out"], folder, seeHelp });
    const epochs = given.integer("epochs", 1, 1000) ?? (given.common.quick ? 4 : 12);
    return { ...given.common, epochs, out: given.path("out") };
  },

  async run({ epochs, out, seed, quick }, terminal, backend) {
    const source = random(seed);
    const draw = (count: number) => Array.from({ length: count }, () => drawCells(source));
    const [training, test] = [draw(quick ? 160 : 800), draw(quick ? 50 : 200)];
    terminal.line(
      `${training.length} images of ${SIDE} × ${SIDE} pixels to train on, ${test.length} others to test on.`,
    );
    terminal.line(`U-Net of 3 levels, 8 to 64 channels. Adam, ${epochs} epochs; seed ${seed}, ${backend}.\n`);

    manualSeed(seed);
    const model = unet({ inChannels: 1, numClasses: 1, baseChannels: 8, depth: 3 });
    const images = (list: readonly CellImage[]) => column(list.map(({ image }) => image.map((v) => 2 * v - 1)));
    const masks = column(training.map(({ mask }) => mask));
    const batches = loader(dataset(images(training), masks), { batchSize: 16, shuffle: true, seed, dropLast: true });
    const start = performance.now();
    const run = fit(model, {
      loss: (logits: Tensor, mask: Tensor) => binaryCrossEntropyWithLogits(logits, mask).add(diceLoss(logits, mask)),
      optimizer: new Adam(model.parameters()),
      schedule: (optimizer, { steps }) => new OneCycleLR(optimizer, { maxLr: 0.01, totalSteps: steps }),
      data: batches,
      epochs,
    });
    await follow(run, terminal);
    terminal.line(`\nTraining took ${((performance.now() - start) / 1000).toFixed(1)} s.`);

    const logits = (await (await predict(model, dataset(images(test)))).read()) as Float32Array;
    const answers = test.map(({ image, mask }, i) => {
      const threshold = otsu(image);
      const found = logits.subarray(i * SIDE * SIDE, (i + 1) * SIDE * SIDE).map((logit) => Number(logit > 0));
      return { image, mask, found, bright: image.map((value) => Number(value > threshold)) };
    });
    const [own, thresholds] = (["found", "bright"] as const).map((name) =>
      overlap(answers.map((answer) => [answer[name], answer.mask])),
    );
    terminal.table([
      ["test images", "Dice", "IoU"],
      ["U-Net", percent(own.dice), percent(own.iou)],
      ["brighter than Otsu's threshold", percent(thresholds.dice), percent(thresholds.iou)],
    ]);
    const file = pictureFile(out, "segmentation.png");
    drawAnswers(answers.slice(0, 6)).save(file);
    terminal.line(`\nImages, cells, U-Net's and Otsu's (green: right, red: no cell, blue: missed): ${file}`);
    return { metric: "% Dice", value: 100 * own.dice, baseline: 100 * thresholds.dice, against: "Otsu's threshold" };
  },
};

// ---------------------------------------------------------------------------------------------

const column = (list: readonly Float32Array[]) => ({ data: joined(list), shape: [1, SIDE, SIDE] });

/** 1 − Dice of probabilities, over the whole batch. */
function diceLoss(logits: Tensor, mask: Tensor): Tensor {
  const found = logits.sigmoid();
  const both = found.mul(mask).sum();
  return both.mul(-2).div(found.sum().add(mask.sum()).add(1)).add(1);
}

/** Means over the images. Dice: 2·|A ∩ B| / (|A| + |B|); IoU: |A ∩ B| / |A ∪ B|. */
function overlap(pairs: readonly (readonly [Float32Array, Float32Array])[]): { dice: number; iou: number } {
  const sum = (values: Float32Array) => values.reduce((total, value) => total + value, 0);
  const each = pairs.map(([a, b]) => ({ both: sum(a.map((value, i) => value * b[i])), total: sum(a) + sum(b) }));
  const mean = (of: (pair: (typeof each)[number]) => number) => each.reduce((m, pair) => m + of(pair), 0) / each.length;
  return { dice: mean(({ both, total }) => (2 * both) / total), iou: mean(({ both, total }) => both / (total - both)) };
}

type Answer = CellImage & { readonly found: Float32Array; readonly bright: Float32Array };

function drawAnswers(answers: readonly Answer[]): Picture {
  const [scale, gap, top] = [3, 8, 24];
  const step = scale * SIDE + gap;
  const picture = new Picture(gap + 4 * step, top + answers.length * step);
  for (const [i, title] of ["image", "cells", "U-Net", "Otsu"].entries()) picture.text(gap + i * step, 8, title);
  answers.forEach(({ image, mask, found, bright }, row) => {
    const check = (value: number, i: number) => (value ? (mask[i] ? GREEN : RED) : mask[i] ? BLUE : grey(0.1));
    const [low, high] = [Math.min(...image), Math.max(...image)];
    [image.map((value) => (value - low) / (high - low)), mask, found, bright].forEach((values, i) => {
      picture.image(values, SIDE, { x: gap + i * step, y: top + row * step, scale, color: i < 2 ? grey : check });
    });
  });
  return picture;
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
