// Packing: panels in the order in which the microkernel reads them. A panel of width w is (k, w), contiguous; columns
// of B (or rows of A) that are not there are zeros.

import { type Func, type Int, i32, type Local, type Module, type Value, v128 } from "../../build.js";
import { I32 } from "../../encode.js";

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
  const f = m.function(`pack${present}`, [I32, I32, I32]);
  const [from, to, k] = [f.param(0), f.param(1), f.param(2)];
  const steps = (n: Int, by: number, body: () => void) =>
    f.repeat(n, () => {
      body();
      f.step(from, 4 * by * kStride);
      f.step(to, 4 * by * width);
    });
  const single = () => writeStep(f, shape, from, to);
  if (kStride !== 1 || stride === 1 || stride < 0) {
    steps(k, 1, single);
    return f;
  }
  // Four steps of k lie side by side in each column: turn blocks of 4 × 4.
  const fours = f.let(i32.shr_u(k, 2));
  f.if(fours, () => steps(fours, 4, () => turnBlocks(f, shape, from, to)));
  const rest = f.let(i32.and(k, 3));
  f.if(rest, () => steps(rest, 1, single));
  return f;
}

/** One step of k, element by element or, where they are neighbours, by vectors. */
function writeStep(f: Func, { width, present, stride }: PanelShape, from: Local, to: Local): void {
  let i = 0;
  if (stride === 1) {
    for (; i + 4 <= present; i += 4) f.store(to, v128.load(from, 4 * i), 4 * i);
    if (i + 2 <= present) {
      f.storeHalf(0, to, v128.load64_zero(from, 4 * i), 4 * i);
      i += 2;
    }
  }
  for (; i < present; i++) {
    const at = 4 * i * stride;
    f.store(to, at < 0 ? i32.load(i32.add(from, at)) : i32.load(from, at), 4 * i);
  }
  for (; i < width; i++) f.store(to, i32.const(0), 4 * i);
}

function turnBlocks(f: Func, { width, present, stride }: PanelShape, from: Local, to: Local): void {
  const zero = v128.const([0, 0, 0, 0]);
  const column = (c: number): Value => (c < present ? f.let(v128.load(from, 4 * c * stride)) : zero);
  for (let c = 0; c < width; c += 4) {
    const left = width - c;
    const [a, b] = [column(c), column(c + 1)];
    const low = f.let(v128.shuffle32(a, b, [0, 4, 1, 5]));
    const high = f.let(v128.shuffle32(a, b, [2, 6, 3, 7]));
    if (left < 4) {
      // 1 or 2 columns of a narrow panel
      [low, high].forEach((v, pair) => {
        for (const i of [0, 1]) {
          const offset = 4 * (width * (2 * pair + i) + c);
          if (left >= 2) f.storeHalf(i, to, v, offset);
          else f.storeLane(2 * i, to, v, offset);
        }
      });
      if (left === 3) {
        const third = column(c + 2);
        for (let i = 0; i < 4; i++) f.storeLane(i, to, third, 4 * (width * i + c + 2));
      }
      continue;
    }
    const [d, e] = [column(c + 2), column(c + 3)];
    const low2 = f.let(v128.shuffle32(d, e, [0, 4, 1, 5]));
    const high2 = f.let(v128.shuffle32(d, e, [2, 6, 3, 7]));
    const rows = [
      v128.shuffle32(low, low2, [0, 1, 4, 5]),
      v128.shuffle32(low, low2, [2, 3, 6, 7]),
      v128.shuffle32(high, high2, [0, 1, 4, 5]),
      v128.shuffle32(high, high2, [2, 3, 6, 7]),
    ];
    rows.forEach((v, i) => {
      f.store(to, v, 4 * (width * i + c));
    });
  }
}
