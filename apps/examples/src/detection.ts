/** `detection`: a network that finds digits in scenes, and reads them. */
import { Adam, OneCycleLR } from "@nn/optim";
import { manualSeed } from "@nn/tensor";
import { fit, loader, predict, samples } from "@nn/train";
import { COMMON_HELP, type CommonOptions, parseArguments } from "./arguments.js";
import { type Box, type Found, iou, meanAveragePrecision } from "./average-precision.js";
import { decode, detectionLoss, detector, encode } from "./detector.js";
import { drawDigits } from "./digits.js";
import type { Example } from "./example.js";
import { follow } from "./follow.js";
import { readMnist } from "./idx.js";
import { BLACK, BLUE, type Color, GREEN, Picture, RED } from "./picture-png.js";
import { pictureFile } from "./plot.js";
import { random } from "./random.js";
import { drawScene, SCENE, type Scene, spotFinder } from "./scenes.js";

export interface DetectionOptions extends CommonOptions {
  /** Folder of MNIST's files; null: drawn digits. */
  readonly data: string | null;
  readonly epochs: number;
  /** Where the picture goes; null: a temporary folder. */
  readonly out: string | null;
}

export const detection: Example<DetectionOptions> = {
  help: `Trains a network to find digits in scenes, and to read them: a box and a class for each.

Usage: npm run example -- detection [options]

  --data DIR         the folder with the four .gz files of MNIST (digits drawn from
                     strokes)
  --epochs N         passes over the scenes (15; 5 with --quick)
  --out DIR          for the picture of what was found (a temporary folder)
${COMMON_HELP}  --help             show this
`,

  parse(args, folder) {
    const seeHelp = "See npm run example -- detection --help.";
    const given = parseArguments(args, { own: ["data", "epochs", "out"], folder, seeHelp });
    const epochs = given.integer("epochs", 1, 1000) ?? (given.common.quick ? 5 : 15);
    return { ...given.common, data: given.path("data"), epochs, out: given.path("out") };
  },

  async run({ data, epochs, out, seed, quick }, terminal, backend) {
    const digits = data
      ? readMnist(data)
      : { train: drawDigits(quick ? 1000 : 5000, 2 * seed), test: drawDigits(1000, 2 * seed + 1) };
    const source = random(seed);
    const draw = (from: typeof digits.train, count: number) =>
      Array.from({ length: count }, () => drawScene(from, source));
    const [training, test] = [draw(digits.train, quick ? 640 : 6000), draw(digits.test, quick ? 100 : 500)];
    terminal.line(
      `${training.length} scenes of ${SCENE} × ${SCENE} pixels, 1 to 3 digits in each; ${test.length} others`,
    );
    terminal.line(`of other digits to test on. Adam, ${epochs} epochs; seed ${seed}, ${backend}.\n`);

    manualSeed(seed);
    const model = detector();
    const pairs = training.map((scene) => [pixels(scene), encode(scene.boxes)]);
    const scenes = samples(pairs.length, (i) => pairs[i]);
    const batches = loader(scenes, { batchSize: 32, shuffle: true, seed, dropLast: true });
    const start = performance.now();
    const run = fit(model, {
      loss: detectionLoss,
      optimizer: new Adam(model.parameters()),
      schedule: (optimizer, { steps }) => new OneCycleLR(optimizer, { maxLr: 0.01, totalSteps: steps }),
      data: batches,
      epochs,
    });
    await follow(run, terminal);
    terminal.line(`\nTraining took ${((performance.now() - start) / 1000).toFixed(1)} s.`);

    const output = (await (
      await predict(
        model,
        samples(test.length, (i) => [pixels(test[i])]),
      )
    ).read()) as Float32Array;
    const size = output.length / test.length;
    const found = test.map((_, i) => decode(output.subarray(i * size, (i + 1) * size)));
    const truth = test.map(({ boxes }) => boxes);
    const old = test.map(spotFinder(training.slice(0, 1000)));
    const score = (answers: Found[][], least: number) => 100 * meanAveragePrecision(truth, answers, least);
    const [value, baseline] = [score(found, 0.5), score(old, 0.5)];
    terminal.table([
      ["mean average precision", "boxes overlap by 0.5", "by 0.75"],
      ["network", `${value.toFixed(1)} %`, `${score(found, 0.75).toFixed(1)} %`],
      ["bright spots, nearest mean digit", `${baseline.toFixed(1)} %`, `${score(old, 0.75).toFixed(1)} %`],
    ]);
    const file = pictureFile(out, "detection.png");
    drawScenes(test.slice(0, 12), found).save(file);
    terminal.line(`\nWhat was found (green: right, red: wrong; a thin blue box: missed): ${file}`);
    return { metric: "% mAP@0.5", value, baseline, against: "bright spots" };
  },
};

// ---------------------------------------------------------------------------------------------

const pixels = ({ image }: Scene) => ({ data: image, shape: [1, SCENE, SCENE] });

/** Scenes in rows of four. A found box is drawn if the network is surer than not. */
function drawScenes(scenes: readonly Scene[], found: readonly (readonly Found[])[]): Picture {
  const [scale, gap] = [4, 8];
  const step = scale * SCENE + gap;
  const picture = new Picture(gap + 4 * step, gap + Math.ceil(scenes.length / 4) * step);
  scenes.forEach(({ image, boxes }, i) => {
    const [left, top] = [gap + (i % 4) * step, gap + Math.floor(i / 4) * step];
    const outline = ({ x, y, width, height }: Box, color: Color, line?: number) => {
      const corners = [x, y, x + width, y + height].map((value) =>
        Math.round(scale * Math.min(SCENE, Math.max(0, value))),
      );
      picture.box(left + corners[0], top + corners[1], corners[2] - corners[0], corners[3] - corners[1], color, line);
      return { x: left + corners[0], y: top + corners[1] };
    };
    picture.image(image, SCENE, { x: left, y: top, scale });
    const sure = found[i].filter(({ score }) => score > 0.5);
    for (const box of boxes) if (sure.every((other) => iou(box, other) < 0.5)) outline(box, BLUE, 1);
    for (const box of sure) {
      const right = boxes.some((other) => other.label === box.label && iou(box, other) >= 0.5);
      const at = outline(box, right ? GREEN : RED);
      picture.fill(at.x, at.y, 50, 19, right ? GREEN : RED);
      picture.text(at.x + 2, at.y + 2, `${box.label} ${Math.floor(100 * box.score)}`, { color: BLACK, scale: 3 });
    }
  });
  return picture;
}
