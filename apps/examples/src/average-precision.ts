/** Boxes and how good found ones are: overlap, suppression of double ones, mean average precision. */

export interface Box {
  /** The left edge, and the upper one. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** Its class. */
  readonly label: number;
}

export interface Found extends Box {
  /** How sure it is: greater is surer. */
  readonly score: number;
}

/** Area of both over area of either, 0 to 1. */
export function iou(a: Box, b: Box): number {
  const across = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const down = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  if (across <= 0 || down <= 0) return 0;
  return (across * down) / (a.width * a.height + b.width * b.height - across * down);
}

/** Of boxes that overlap by more than `most` the surest (non-maximum suppression, whatever the classes). */
export function suppress(boxes: readonly Found[], most: number): Found[] {
  const kept: Found[] = [];
  for (const box of [...boxes].sort((a, b) => b.score - a.score)) {
    if (kept.every((other) => iou(box, other) <= most)) kept.push(box);
  }
  return kept;
}

/**
 * Mean over the classes of average precision, 0 to 1, as PASCAL VOC has it since 2010: the area under the curve of precision over recall,
 * precision never rising to the right. A found box is right if it overlaps a true one of its class by `least` or more that
 * no surer box has taken.
 *
 * @param truth the boxes in each image
 * @param found the boxes found in each
 */
export function meanAveragePrecision(
  truth: readonly (readonly Box[])[],
  found: readonly (readonly Found[])[],
  least = 0.5,
): number {
  const classes = [...new Set(truth.flat().map(({ label }) => label))];
  const each = classes.map((label) => averagePrecision(truth, found, label, least));
  return each.reduce((sum, value) => sum + value, 0) / each.length;
}

// ---------------------------------------------------------------------------------------------

function averagePrecision(
  truth: readonly (readonly Box[])[],
  found: readonly (readonly Found[])[],
  label: number,
  least: number,
): number {
  const own = truth.map((boxes) => boxes.filter((box) => box.label === label));
  const total = own.reduce((sum, { length }) => sum + length, 0);
  const taken = new Set<Box>();
  let right = 0;
  const points = found
    .flatMap((boxes, image) => boxes.filter((box) => box.label === label).map((box) => ({ box, image })))
    .sort((a, b) => b.box.score - a.box.score)
    .map(({ box, image }, i) => {
      // As in VOC's code: it is held against the one that it overlaps most, and that may be taken.
      const [best] = [...own[image]].sort((a, b) => iou(box, b) - iou(box, a));
      if (best && iou(box, best) >= least && !taken.has(best)) {
        taken.add(best);
        right++;
      }
      return { recall: right / total, precision: right / (i + 1) };
    });
  let [area, precision] = [0, 0];
  for (let i = points.length - 1; i >= 0; i--) {
    precision = Math.max(precision, points[i].precision);
    area += precision * (points[i].recall - (points[i - 1]?.recall ?? 0));
  }
  return area;
}
