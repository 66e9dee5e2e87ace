/** A one-stage detector, after YOLO (Redmon et al., 2016): the network, its loss, and how boxes become numbers and come back. */
import { Conv2d, MaxPool2d } from "@nn/conv";
import {
  BatchNorm2d,
  binaryCrossEntropyWithLogits,
  crossEntropy,
  type Layer,
  ReLU,
  Sequential,
  smoothL1,
} from "@nn/layers";
import { split, type Tensor } from "@nn/tensor";
import { type Box, type Found, suppress } from "./average-precision.js";
import { SCENE } from "./scenes.js";

/** The scene in cells of 8 × 8 pixels: a box belongs to the cell in which its middle lies. */
const CELL = 8;
const GRID = SCENE / CELL;

/** Scenes (N, 1, 64, 64) → (N, 15, 8, 8): of each cell whether there is a digit, its box in four numbers, logits of its class. */
export function detector(): Sequential {
  const conv = (from: number, to: number): Layer[] => [
    new Conv2d(from, to, 3, { padding: 1, bias: false }),
    new BatchNorm2d(to),
    new ReLU(),
  ];
  const down = (from: number, to: number) => [...conv(from, to), new MaxPool2d(2)];
  const layers = [...down(1, 12), ...down(12, 24), ...down(24, 48), ...conv(48, 64), ...conv(64, 64)];
  return new Sequential(...layers, new Conv2d(64, 15, 1));
}

/** Of each cell the box of its digit in four numbers (N, 4, 8, 8), and its class (N, 8, 8): −100, which the loss leaves out, for none. */
export interface Target {
  readonly boxes: Tensor;
  readonly classes: Tensor;
}

/** Three losses, each a mean over the digits: of all cells whether there is one; of those with one its box and its class. */
export function detectionLoss(output: Tensor, { boxes, classes }: Target): Tensor {
  const [there, at, logits] = split(output, [1, 4, 10], 1);
  const isThere = classes.ge(0).cast("f32").unsqueeze(1);
  const digits = isThere.sum().maximum(1);
  const object = binaryCrossEntropyWithLogits(there, isThere, { reduction: "sum" }).div(digits);
  const places = smoothL1(at, boxes, { beta: 0.1, reduction: "none" }).mul(isThere).sum().div(digits);
  return object.add(places).add(crossEntropy(logits, classes));
}

/** Boxes as the {@link Target} of a scene. */
export function encode(boxes: readonly Box[]) {
  const target = {
    boxes: { data: new Float32Array(4 * GRID * GRID), shape: [4, GRID, GRID] },
    classes: { data: new Int32Array(GRID * GRID).fill(-100), shape: [GRID, GRID] },
  };
  for (const { x, y, width, height, label } of boxes) {
    const [middleX, middleY] = [(x + width / 2) / CELL, (y + height / 2) / CELL];
    const [column, row] = [Math.floor(middleX), Math.floor(middleY)];
    const numbers = [middleX - column, middleY - row, Math.log(width / (2 * CELL)), Math.log(height / (3 * CELL))];
    numbers.forEach((value, k) => {
      target.boxes.data[(k * GRID + row) * GRID + column] = value;
    });
    target.classes.data[row * GRID + column] = label;
  }
  return target;
}

/** What the network says (15, 8, 8) about a scene as boxes, the same digit once. */
export function decode(output: Float32Array): Found[] {
  const boxes = Array.from({ length: GRID * GRID }, (_, cell): Found => {
    const [there, dx, dy, w, h, ...logits] = Array.from({ length: 15 }, (_, k) => output[k * GRID * GRID + cell]);
    const [width, height] = [2 * CELL * Math.exp(w), 3 * CELL * Math.exp(h)];
    const [x, y] = [CELL * ((cell % GRID) + dx) - width / 2, CELL * (Math.floor(cell / GRID) + dy) - height / 2];
    const best = Math.max(...logits);
    const probability = 1 / logits.reduce((sum, logit) => sum + Math.exp(logit - best), 0);
    return { x, y, width, height, label: logits.indexOf(best), score: probability / (1 + Math.exp(-there)) };
  });
  return suppress(
    boxes.filter(({ score }) => score > 0.02),
    0.4,
  );
}
