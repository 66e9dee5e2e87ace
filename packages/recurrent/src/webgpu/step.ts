// What a loop is to these kernels: a cell, which says in WGSL what a step does with a unit of a row, and where a step finds
// its values. Lengths are the business of neither cell nor loop, but of `stepLines`.

import { literal, reads, sum, writes } from "@nn/backend-webgpu";
import type { Signature, View } from "@nn/tensor";
import type { LoopAttrs } from "../loop.js";

/** What a step computes for a unit of a row, as WGSL. */
export interface Step {
  readonly lines: readonly string[];
  /** The states after it; `null`: as before. */
  readonly states: readonly (string | null)[];
  /** What is collected: a part of an output (T, N, parts · H). */
  readonly outs: readonly (readonly [out: number, part: number, value: string])[];
  /** What W_hh is multiplied with next: h, or in a gradient one value per gate. */
  readonly vectors: readonly string[];
}

/** Where a step finds what it needs, as WGSL. */
export interface Given {
  /** Of an input (T, N, parts · H) at this step. */
  load(input: number, part?: number): string;
  /** Of one (parts · H). */
  constant(input: number, part: number): string;
  /** In a gradient: of an input (T, N, H) at the step before in time, and at the first one a state. */
  before(input: number, state: number): string;
  state(i: number): string;
  /** Σ W_hh · h, of a gate; in a gradient, of gate 0, Σ W_hhᵀ · vectors over all gates. */
  sum(gate: number): string;
}

export interface Cell {
  readonly name: string;
  readonly gates: number;
  /** Whether it is a way back, which goes through time the other way round. */
  readonly gradient: boolean;
  /** The input W_hh (gates · H, H). */
  readonly weight: number;
  /** Other inputs that a step reads. */
  readonly ins: readonly number[];
  /** The input that a state (N, H) begins as, and the output that it ends as. State 0 is h, or the gradient of h. */
  readonly states: readonly { readonly begin: number; readonly end: number | null }[];
  /** In a gradient: the output that has the vectors. */
  readonly vectors?: number;
  /** Functions of the backend that it calls. */
  readonly calls: readonly string[];
  step(given: Given): Step;
}

/** A cell with the sizes of a call. */
export interface Loop extends Cell {
  readonly signature: Signature<LoopAttrs>;
  readonly steps: number;
  readonly rows: number;
  readonly size: number;
  /** Whether the last step comes first. */
  readonly backwards: boolean;
  /** The input of the rows' lengths. */
  readonly lengths: number | null;
}

/** Scratch: four floats for the counter of steps, state 0 twice (a step reads one and writes the other), the other states. */
export const stateAt = ({ rows, size }: Loop, i: number, twin = 0): number =>
  4 + rows * size * (i === 0 ? twin : i + 1);
/** Floats of that. */
export const stateFloats = (loop: Loop): number => stateAt(loop, loop.states.length);

/** Where an element of a view lies, by i32 coordinates. */
export function at(v: View, ...coordinates: readonly string[]): string {
  return sum(
    v.offset,
    coordinates.flatMap((c, axis) => (v.strides[axis] === 0 ? [] : [`${c} * ${literal(v.strides[axis]!)}`])),
  );
}

/**
 * Lines of a step for `row` and `unit` (i32) at time `t` (i32): what a row past its end does, too.
 *
 * @param keep lines that make values the states, and the vectors
 */
export function stepLines(
  loop: Loop,
  given: Pick<Given, "state" | "sum">,
  keep: (states: readonly string[], vectors: readonly string[]) => readonly string[],
): string[] {
  const { signature, size, gradient, backwards, steps, lengths } = loop;
  const view = (k: number) => signature.ins[k]!;
  const place = (part: number) => (part === 0 ? "unit" : `(unit + ${part * size})`);
  // Of a way back: the way there came from the other side.
  const [first, before] = backwards ? ["t == 0", "max(t - 1, 0)"] : ["t == last", `min(t + 1, ${steps - 1})`];
  const { lines, states, outs, vectors } = loop.step({
    ...given,
    load: (k, part = 0) => `in${k}[${at(view(k), "t", "row", place(part))}]`,
    constant: (k, part) => `in${k}[${at(view(k), place(part))}]`,
    before: (k, i) => `select(in${k}[${at(view(k), before, "row", "unit")}], ${given.state(i)}, ${first})`,
  });
  const put = (value: (v: string) => string) =>
    outs.map(([k, part, v]) => {
      const width = signature.outs[k]!.shape[2]!;
      return `out${k}[(t * ${loop.rows} + row) * ${width} + ${place(part)}] = ${value(v)};`;
    });
  const stay = given.state(0) + (gradient ? ` + ${given.sum(0)}` : "");
  const work = [
    ...lines,
    ...put((v) => v),
    ...keep(
      states.map((s, i) => s ?? given.state(i)),
      vectors,
    ),
  ];
  if (lengths === null) return gradient && !backwards ? [`let last = ${steps - 1};`, ...work] : work;
  return [
    `let last = in${lengths}[${at(view(lengths), "row")}] - 1;`,
    "if (t <= last) {",
    ...work,
    "} else {",
    ...put(() => "0.0"),
    ...keep(
      states.map((_, i) => (i === 0 ? stay : given.state(i))),
      gradient ? vectors.map(() => "0.0") : [stay],
    ),
    "}",
  ];
}

/** What a step binds, without scratch. */
export function stepBindings({ signature, weight, ins, lengths, step }: Loop) {
  const used = step({
    load: () => "x",
    constant: () => "x",
    before: () => "x",
    state: () => "x",
    sum: () => "x",
  }).outs.map(([k]) => k);
  return [
    ...[...new Set([...ins, weight])].map((k) => reads(`in${k}`, "f32", k === weight ? undefined : true)),
    ...(lengths === null ? [] : [reads(`in${lengths}`, signature.ins[lengths]!.dtype)]),
    ...[...new Set(used)].map((k) => writes(`out${k}`, "f32", true)),
  ];
}
