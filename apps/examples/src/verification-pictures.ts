/** What is shown of a verification: both errors as curves, and some of the pairs. */
import { dot, line, text } from "@observablehq/plot";
import { type Dataset, PIXELS, SIDE } from "./dataset.js";
import { GREEN, Picture, RED } from "./picture-png.js";
import { writePlot } from "./plot.js";
import type { Errors } from "./verification-scores.js";

export function drawCurves(
  file: string,
  judged: readonly { name: string; errors: readonly Errors[]; rate: number }[],
): void {
  const equal = judged.map(({ name, rate }) => ({ name, x: 100 * rate, y: 100 * rate }));
  const points = judged.flatMap(({ name, errors }) =>
    errors.map((e) => ({ name, x: 100 * e.accepted, y: 100 * e.rejected })),
  );
  writePlot(file, {
    width: 480,
    height: 440,
    grid: true,
    x: { label: "others taken for the same, %" },
    y: { label: "the same taken for others, %" },
    marks: [
      line(
        [0, 50].map((v) => ({ x: v, y: v })),
        { x: "x", y: "y", stroke: "#bbb", strokeDasharray: "4" },
      ),
      line(points, { x: "x", y: "y", stroke: "name", strokeWidth: 2 }),
      dot(equal, { x: "x", y: "y", fill: "name" }),
      text(equal, {
        ...{ x: "x", y: "y", fill: "name", dx: 8, dy: -4, textAnchor: "start" as const, fontSize: 12 },
        text: ({ name, x }) => `${name}: ${x.toFixed(1)} %`,
      }),
    ],
  });
}

interface Judged {
  readonly distances: readonly number[];
  readonly threshold: number;
}

/** Pairs of the same in the upper rows, of others in the lower ones, from the nearest to the farthest. */
export function drawPairsOf(
  set: Dataset,
  pairs: readonly { a: number; b: number; same: boolean }[],
  { distances, threshold }: Judged,
): Picture {
  const [scale, columns, rows] = [2, 8, 3];
  const [width, height] = [2 * SIDE * scale + 16, SIDE * scale + 32];
  const picture = new Picture(16 + columns * width, 2 * (24 + rows * height));
  for (const [half, same] of [true, false].entries()) {
    const top = half * (24 + rows * height) + 8;
    picture.text(16, top, same ? "the same" : "others");
    const order = [...pairs.keys()].filter((i) => pairs[i].same === same).sort((i, j) => distances[i] - distances[j]);
    for (let n = 0; n < rows * columns; n++) {
      const pair = order[Math.round((n / (rows * columns - 1)) * (order.length - 1))];
      const [x, y] = [16 + (n % columns) * width, top + 20 + Math.floor(n / columns) * height];
      [pairs[pair].a, pairs[pair].b].forEach((i, side) => {
        const pixels = set.inputs.subarray(i * PIXELS, (i + 1) * PIXELS);
        picture.image(pixels, SIDE, { x: x + side * SIDE * scale, y, scale });
      });
      const right = distances[pair] <= threshold === same;
      picture.box(x - 2, y - 2, 2 * SIDE * scale + 4, SIDE * scale + 4, right ? GREEN : RED);
      picture.text(x, y + SIDE * scale + 6, distances[pair].toFixed(2));
    }
  }
  return picture;
}
