// What a kernel of this backend is: a recipe that writes functions into a module. Pure data until a plan is loaded.

import type { Kernel, Signature } from "@nn/tensor";
import type { Func, Local, Module } from "./build.js";
import { I32 } from "./encode.js";

/** What `emit` returns. Steps of a plan with the same object share the functions. */
export interface WasmCode {
  readonly name: string;
  /** Bytes each thread has for itself while it works. */
  readonly scratch?: number;
  /** Bytes that all threads share during the step, e.g. for packed panels. */
  readonly shared?: number;
  /** Writes the kernel's functions; what it returns runs phase after phase. */
  write(m: Module): readonly Phase[];
}

export type WasmKernel<A = any> = Kernel<A, WasmCode>;

/** Work that can be cut into parts, which any thread may do in any order. Results must not depend on the cut. */
export interface Phase {
  /** `(ins…, outs…, shared, scratch, from, to)`: does parts from … to − 1, to > from. */
  readonly run: Func;
  readonly parts: number;
  /** Nanoseconds for all parts, roughly: decides whether threads are worth it. */
  readonly cost: number;
  /** Whether it may write to `ERROR`: then nothing after it runs, and Variables keep their values. */
  readonly mayFail?: boolean;
  /**
   * The input that alone decides what it writes to `shared`, where nothing else writes: while that input is what it was,
   * the phase is left out. For weights of a trained network.
   */
  readonly keeps?: number;
}

/** The phases of codes, each written once. One without parts, of nothing at all, is none. */
export function writePhases(m: Module, codes: readonly WasmCode[]): ReadonlyMap<WasmCode, readonly Phase[]> {
  const each = [...new Set(codes)].map((code) => [code, code.write(m).filter((p) => p.parts > 0)] as const);
  return new Map(each);
}

/** A function with the parameters of a phase, by name. */
export interface PhaseFunc {
  readonly f: Func;
  readonly ins: readonly Local[];
  readonly outs: readonly Local[];
  readonly shared: Local;
  readonly scratch: Local;
  readonly from: Local;
  readonly to: Local;
}

/** A phase of which `write` writes the function; it says into how many parts that falls. */
export function phase(
  m: Module,
  name: string,
  signature: Signature<any>,
  cost: number,
  write: (p: PhaseFunc) => number,
): Phase {
  const p = phaseFunction(m, name, signature);
  return { run: p.f, parts: write(p), cost };
}

export function phaseFunction(m: Module, name: string, { ins, outs }: Signature<any>): PhaseFunc {
  const n = ins.length + outs.length;
  const f = m.function(name, new Array(n + 4).fill(I32));
  const [shared, scratch, from, to] = f.params.slice(n) as [Local, Local, Local, Local];
  return { f, ins: f.params.slice(0, ins.length), outs: f.params.slice(ins.length, n), shared, scratch, from, to };
}
