// What a backend is: the interface that reference, wasm and WebGPU implement, and the data they are handed.
// To write one, read this file and reference/, and run the conformance suite of packages/testing.

import { fail, type Modules } from "./errors.js";
import type { Expr } from "./expr.js";
import type { Spec, View } from "./spec.js";

/** A piece of the device's memory. What it is made of is the backend's own business. */
export interface Buffer {
  readonly bytes: number;
}

/** `Code` is the backend's own notion of a compiled kernel: a JavaScript loop, a wasm function body, WGSL and a grid. */
export interface Backend<Code = any> {
  readonly name: string;
  /** In order of preference: packs given when the backend was made first, the floor last. */
  readonly kernels: readonly Kernel<never, Code>[];
  /** `what` the bytes are for: an error that there is no room can name it. */
  alloc(bytes: number, what?: Spec): Buffer;
  free(buffer: Buffer): void;
  write(buffer: Buffer, data: Uint8Array, offset?: number): void;
  read(buffer: Buffer): Promise<Uint8Array>;
  /** Where the memory is the host's own: the bytes themselves, no copy. They may move; the array is then detached, and of length 0. */
  readSync?(buffer: Buffer): Uint8Array;
  /** Makes a plan ready to run. An eager call is a plan of one step, cached by its signature. */
  load(plan: Plan<Code>): Executable;
}

/** One way to run one op. Pure: `emit` needs no device, so its result can be tested as text. */
export interface Kernel<A = any, Code = any> {
  /** Name of the op, `"matmul"` or `"conv/conv"`. The first kernel of an op that accepts a signature runs it. */
  readonly op: string;
  accepts?(signature: Signature<A>): boolean;
  /** Physical arrangements it wants for its inputs and gives to its outputs; `null`: plain rows. */
  layouts?(signature: Signature<A>): Arrangement;
  /**
   * Arrangements it can do with besides plain rows, for each input and output, the best first. One is chosen where
   * that converts nothing: the input is (or, a Variable, may be) in it, the output is wanted in it. What was chosen
   * stands in {@link Signature.layouts}; eager calls choose none.
   */
  alternatives?(signature: Signature<A>): {
    readonly ins: readonly (readonly Layout[])[];
    readonly outs: readonly (readonly Layout[])[];
  };
  /** Whether the pointwise formula of what follows may be given as {@link Signature.epilogue}. */
  readonly fusesEpilogue?: boolean;
  emit(signature: Signature<A>): Code;
}

/** All that a kernel may depend on. Shapes and strides are constants to it. */
export interface Signature<A = unknown> {
  readonly ins: readonly View[];
  readonly outs: readonly View[];
  readonly attrs: A;
  readonly epilogue?: Epilogue | undefined;
  /** The arrangements chosen among the kernel's {@link Kernel.alternatives}; the views are those of plain rows. */
  readonly layouts?: Arrangement | undefined;
}

/** What lies packed, and how; `null`: plain rows. */
export interface Arrangement {
  readonly ins: readonly (Layout | null)[];
  readonly outs: readonly (Layout | null)[];
}

/**
 * `out = expr(result, extra…)`, element by element: the extra inputs are the last `extra` of the signature's, and the
 * formula asks for no coordinates.
 */
export interface Epilogue {
  readonly expr: Expr;
  readonly extra: number;
}

/**
 * A physical arrangement that survives between ops: weight panels, eight samples side by side, packed gates.
 * It is data: pad each axis, cut the axes into `split`, put these into `order`.
 */
export interface Layout {
  readonly name: string;
  /** Zeros before and after, per axis; omitted: none. */
  readonly pad?: readonly (readonly [before: number, after: number])[] | undefined;
  /** Shape after padding and cutting; the same number of elements as the padded shape. */
  readonly split: readonly number[];
  /** Permutation of the axes of `split`: the physical shape is `order.map(i => split[i])`. */
  readonly order: readonly number[];
}

// ── the floor: the kernels every backend must have, by name ────────────────────────────────────────

/** `"map"`: `out[view] (+)= expr(ins…)`. The inputs have the output's shape (stride 0 where they are broadcast). */
export interface MapAttrs {
  readonly expr: Expr;
  /** Adds to what is there; the output's view may then meet the same element several times. */
  readonly accumulate?: boolean | undefined;
}

/**
 * `"reduce"`: `out[kept axes] = of over axes of prologue(ins…)`. The inputs have one shape; the reduced axes are
 * dropped. Without elements the result is the neutral element (0, 1, ∓∞ or the extreme integer). `max` and `min`
 * of a NaN are NaN.
 */
export interface ReduceAttrs {
  readonly of: "add" | "mul" | "max" | "min";
  readonly axes: readonly number[];
  readonly prologue: Expr;
}

/**
 * `"gather"`: `out[…, i, …] = x[…, index[…, i, …], …]` along `axis`, ins (x, index); and `"scatterAdd"`, its adjoint:
 * zeros, then `out[…, index[…, i, …], …] += source[…, i, …]`, ins (index, source). An index out of range is an error
 * where the backend can tell, and else reads 0 or writes nothing.
 */
export interface AxisAttrs {
  readonly axis: number;
}

// ── plans ──────────────────────────────────────────────────────────────────────────────────────────

/** Straight-line work: kernels, the buffers between them, and where the results go. */
export interface Plan<Code> {
  readonly steps: readonly PlanStep<Code>[];
  /** Temporary buffers and their lifetimes: the backend places them, so that they may share memory. */
  readonly slots: readonly Slot[];
}

export interface PlanStep<Code> {
  readonly code: Code;
  readonly ins: readonly Ref[];
  readonly outs: readonly Ref[];
  /** In whose forward it was called: `insideModules(modules, () => fail(…))` is an error that names the last of them. */
  readonly modules?: Modules | undefined;
}

/** A buffer needed from step `from` to step `to`, both included. */
export interface Slot {
  readonly bytes: number;
  readonly from: number;
  readonly to: number;
}

export type Ref = { readonly input: number } | { readonly slot: number } | { readonly result: number };

export interface Executable {
  /** Resolves when everything is compiled; `run` before that may block, or throw where it cannot. */
  readonly ready: Promise<void>;
  /** Inputs and results never overlap, except that a result may be the very buffer of an input it replaces. */
  run(inputs: readonly Buffer[], results: readonly Buffer[]): void;
  dispose(): void;
}

/** The first kernel of an op that accepts the signature. */
export function findKernel(backend: Backend, op: string, signature: Signature): Kernel | undefined {
  let byOp = index.get(backend);
  if (byOp === undefined) {
    byOp = new Map();
    for (const k of backend.kernels) {
      const list = byOp.get(k.op);
      if (list) list.push(k);
      else byOp.set(k.op, [k]);
    }
    index.set(backend, byOp);
  }
  return byOp.get(op)?.find((k) => k.accepts?.(signature) ?? true);
}
const index = new WeakMap<Backend, Map<string, Kernel[]>>();

/** {@link findKernel} for an op that nothing else can run. */
export function needKernel(backend: Backend, op: string, signature: Signature): Kernel {
  return (
    findKernel(backend, op, signature) ??
    fail({
      op,
      expected: `a kernel in backend "${backend.name}" (the op has no lowering)`,
      got: "none that accepts these inputs",
      hint: "Run its conformance suite.",
    })
  );
}

/** A spec's buffer size, never 0 (a buffer of nothing is a special case nobody needs). */
export function bytesOf(spec: Spec): number {
  let n = 1;
  for (const d of spec.shape) n *= d;
  return Math.max(4, n * 4);
}
