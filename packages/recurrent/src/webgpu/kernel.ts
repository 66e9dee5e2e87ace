// A kernel for the loop of a cell: as one dispatch or one per step, between two others. These put states into scratch, and
// from there into the outputs, so that what a step binds stays within the eight buffers that every device allows.

import {
  eachElement,
  groupsOf,
  reads,
  type WgslCode,
  type WgslKernel,
  type WgslPass,
  writes,
} from "@nn/backend-webgpu";
import { type Signature, sizeOf } from "@nn/tensor";
import type { LoopAttrs } from "../loop.js";
import { byStep } from "./by-step.js";
import { inside, rowsInside } from "./inside.js";
import { at, type Cell, type Loop, stateAt } from "./step.js";

/** A kernel for the loop op of a cell. */
export function loopKernel<A extends LoopAttrs>(op: string, cellOf: (signature: Signature<A>) => Cell): WgslKernel<A> {
  return {
    op: `recurrent/${op}`,
    accepts: ({ ins }) => sizeOf(ins[0]!.shape) > 0,
    emit(signature) {
      const cell = cellOf(signature);
      const [steps, rows] = signature.ins[0]!.shape as [number, number];
      const { reverse, lengths } = signature.attrs;
      return emit({
        ...{ ...cell, signature, steps, rows },
        size: signature.ins[cell.weight]!.shape[1]!,
        backwards: reverse !== cell.gradient,
        lengths: lengths ? signature.ins.length - 1 : null,
      });
    },
  };
}

function emit(loop: Loop): WgslCode {
  const alone = rowsInside(loop) > 0;
  const { passes, floats } = alone ? inside(loop) : byStep(loop);
  return {
    name: loop.name,
    scratch: 4 * floats,
    passes: [begin(loop), ...passes, end(loop, alone ? 0 : loop.steps % 2)],
  };
}

function begin(loop: Loop): WgslPass {
  const { states, signature, rows, size } = loop;
  const lines = states.map(
    ({ begin }, i) => `scratch[${stateAt(loop, i)}u + i] = in${begin}[${at(signature.ins[begin]!, "row", "unit")}];`,
  );
  return {
    text: eachElement(rows * size, [
      `let row = i32(i / ${size}u);`,
      `let unit = i32(i % ${size}u);`,
      "if (i == 0u) { scratch[0] = 0.0; }",
      ...lines,
    ]),
    bindings: [...new Set(states.map(({ begin }) => begin))]
      .map((k) => reads(`in${k}`, "f32"))
      .concat(writes("scratch", "f32")),
    groups: groupsOf(rows * size),
  };
}

function end(loop: Loop, twin: number): WgslPass {
  const { states, rows, size } = loop;
  const ends = states.flatMap(({ end }, i) => (end === null ? [] : [{ end, from: stateAt(loop, i, twin) }]));
  return {
    text: eachElement(
      rows * size,
      ends.map(({ end, from }) => `out${end}[i] = scratch[${from}u + i];`),
    ),
    bindings: [reads("scratch", "f32"), ...ends.map(({ end }) => writes(`out${end}`, "f32"))],
    groups: groupsOf(rows * size),
  };
}
