/** Cells under a microscope, drawn: ellipses of uneven edge and brightness that overlap, out of focus, in uneven light and noise. */
import type { Random } from "./random.js";

export const CELLS_SIDE = 64;

export interface CellImage {
  /** 64 × 64 numbers, about 0 to 1. */
  readonly image: Float32Array;
  /** 1 where a cell is, 0 elsewhere. */
  readonly mask: Float32Array;
}

export function drawCells(source: Random): CellImage {
  const side = CELLS_SIDE;
  const [light, mask] = [new Float32Array(side * side), new Float32Array(side * side)];
  const cells = Array.from({ length: 4 + source.below(8) }, () => ({
    x: source.uniform(0, side),
    y: source.uniform(0, side),
    size: source.uniform(4.5, 9),
    stretch: source.uniform(0.7, 1.4),
    turn: source.uniform(0, Math.PI),
    lobes: { size: source.uniform(0, 0.15), count: 2 + source.below(3), phase: source.uniform(0, 6) },
    brightness: source.uniform(0.15, 0.4),
  }));
  for (const { x, y, size, stretch, turn, lobes, brightness } of cells) {
    for (let i = 0; i < side * side; i++) {
      const [dx, dy] = [(i % side) + 0.5 - x, Math.floor(i / side) + 0.5 - y];
      const across = (dx * Math.cos(turn) + dy * Math.sin(turn)) * stretch;
      const along = (dy * Math.cos(turn) - dx * Math.sin(turn)) / stretch;
      const edge = size * (1 + lobes.size * Math.sin(lobes.count * Math.atan2(along, across) + lobes.phase));
      const inside = edge - Math.hypot(across, along); // pixels from the edge
      if (inside > 0) mask[i] = 1;
      light[i] += brightness / (1 + Math.exp(-inside * 1.2)); // where two overlap it is brighter
    }
  }
  const [right, down, bright] = [source.uniform(-0.4, 0.4), source.uniform(-0.4, 0.4), source.uniform(0.15, 0.4)];
  const stain = { x: source.uniform(0, side), y: source.uniform(0, side), depth: source.uniform(-0.25, 0.25) };
  const image = light.map((value, i) => {
    const [x, y] = [i % side, Math.floor(i / side)];
    const glow = stain.depth * Math.exp(-((x - stain.x) ** 2 + (y - stain.y) ** 2) / 400);
    return value + bright + (right * x + down * y) / side + glow + 0.08 * source.normal();
  });
  return { image, mask };
}

/**
 * The threshold that parts values into two groups that differ most (Otsu, 1979): the one with the greatest variance between them.
 */
export function otsu(values: Float32Array, bins = 64): number {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const counts = new Float64Array(bins);
  for (const value of values) counts[Math.min(bins - 1, Math.floor(((value - low) / (high - low)) * bins))]++;
  const total = counts.reduce((sum, count, bin) => sum + count * bin, 0);
  let [best, threshold, below, sum] = [-1, 0, 0, 0];
  for (let bin = 0; bin < bins - 1; bin++) {
    below += counts[bin];
    sum += counts[bin] * bin;
    const above = values.length - below;
    if (below === 0 || above === 0) continue;
    const between = below * above * (sum / below - (total - sum) / above) ** 2;
    if (between > best) [best, threshold] = [between, bin + 1];
  }
  return low + ((high - low) * threshold) / bins;
}
