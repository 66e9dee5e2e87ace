// Packing: panels in the order in which the microkernel reads them. A panel of width w is (k, w), contiguous; columns
// of B (or rows of A) that are not there are zeros.

import { type Func, i32, type Local, type Module, v128 } from "../../build.js";
import { I32 } from "../../encode.js";
import { turned } from "../../lanes.js";
import { blocks, lanePlace } from "../../walk.js";
import { loadFirst, storeFirst } from "./micro.js";

export interface PanelShape {
  /** Elements of a step of k in the panel, and how many of them there are in the source. */
  readonly width: number;
  readonly present: number;
  /** Strides of the source in elements: from k to k, and along the width. */
  readonly kStride: number;
  readonly stride: number;
}

/** Writes `pack(from, to, k)`: one panel of k steps, k ≥ 1. */
export function writePack(m: Module, shape: PanelShape): Func {
  const { width, present, kStride, stride } = shape;
  return m.once(`pack ${JSON.stringify(shape)}`, () => {
    const f = m.function(`pack${present}`, [I32, I32, I32]);
    const [from, to, k] = f.params as [Local, Local, Local];
    // Where four steps of k lie side by side in each column, blocks of 4 × 4 are turned.
    blocks(f, k, kStride === 1 && stride > 1 ? [4, 1] : [1], (steps) => {
      (steps === 4 ? turnBlocks : writeStep)(f, shape, from, to);
      f.step(from, 4 * steps * kStride);
      f.step(to, 4 * steps * width);
    });
    return f;
  });
}

/** One step of k, element by element or, where they are neighbours, by vectors. */
function writeStep(f: Func, { width, present, stride }: PanelShape, from: Local, to: Local): void {
  if (stride === 1)
    for (let i = 0; i < present; i += 4) {
      const count = Math.min(4, present - i);
      storeFirst(f, count, to, f.let(loadFirst(count, from, 4 * i)), 4 * i);
    }
  else for (let i = 0; i < present; i++) f.store(to, i32.load(...lanePlace(from, i * stride)), 4 * i);
  for (let i = present; i < width; i++) f.store(to, 0, 4 * i);
}

function turnBlocks(f: Func, { width, present, stride }: PanelShape, from: Local, to: Local): void {
  for (let c = 0; c < width; c += 4) {
    const columns = [c, c + 1, c + 2, c + 3].map((i) =>
      f.let(i < present ? v128.load(from, 4 * i * stride) : f.int(0)),
    );
    turned(f, columns).forEach((v, i) => {
      storeFirst(f, Math.min(4, width - c), to, f.let(v), 4 * (width * i + c));
    });
  }
}
