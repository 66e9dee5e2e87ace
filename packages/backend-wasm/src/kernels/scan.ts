// scan as a loop: the plan of a step, called for every element. What the step closes over is packed once, before.

import {
  type Backend,
  bytesOf,
  contiguousView,
  convertLayout,
  type Expr,
  expr as ex,
  findKernel,
  getBackend,
  isContiguous,
  physicalSpec,
  placeSlots,
  planBody,
  type Ref,
  type ScanAttrs,
  type Signature,
  type Slot,
  type Spec,
  sizeOf,
  type View,
} from "@nn/tensor";
import { ERROR } from "../addresses.js";
import { i32, type Local, type Value } from "../build.js";
import { phaseFunction, type WasmCode, type WasmKernel, writePhases } from "../code.js";

/**
 * Runs `scan` as a loop, on one thread. Without it the loop is unrolled.
 *
 * @example
 * ```ts
 * setBackend(await wasm({ kernels: [scanKernel] })); // `recurrentKernels` of @nn/recurrent/wasm has it, too
 * ```
 */
export const scanKernel: WasmKernel<ScanAttrs> = {
  op: "scan",
  accepts: ({ attrs }) => planBody(attrs.body, attrs.carries + attrs.elements, getBackend()) !== null,
  emit,
};

/** A place in memory: an input or output of the scan, or a slot. */
type Place = { readonly input: number } | { readonly output: number } | { readonly slot: number };

interface Located {
  readonly root: Place;
  readonly view: View;
}

function emit(signature: Signature<ScanAttrs>): WasmCode {
  const { ins, outs, attrs } = signature;
  const { carries, elements, steps, reverse, saved } = attrs;
  const backend = getBackend() as Backend<WasmCode>;
  const { plan, layouts } = planBody(attrs.body, carries + elements, backend)!;
  const results = outs.length - carries * (saved ? 2 : 1);
  const last = plan.steps.length - 1;

  // Slots: those of the step, what its kernels share, and what is there all the time.
  const slots: Slot[] = [...plan.slots];
  const shared = plan.steps.map(({ code }, i) => slots.push({ bytes: code.shared ?? 0, from: i, to: i }) - 1);
  const slotFor = (spec: Spec): Place => ({ slot: slots.push({ bytes: bytesOf(spec), from: 0, to: last }) - 1 });

  // Before the loop: rows that lie as they should.
  const before: {
    readonly code: WasmCode;
    readonly ins: readonly Place[];
    readonly out: Place;
    readonly shared: Place;
  }[] = [];
  const map = (expr: Expr, from: readonly Located[], to: Located) => {
    const copy: Signature = { ins: from.map((p) => p.view), outs: [to.view], attrs: { expr } };
    const code = findKernel(backend, "map", copy)!.emit(copy) as WasmCode;
    const shared = slotFor({ shape: [(code.shared ?? 0) / 4], dtype: "f32" });
    before.push({ code, ins: from.map((p) => p.root), out: to.root, shared });
  };
  const copied = (i: number, to = slotFor(ins[i]!), offset = 0): Place => {
    const view = { ...contiguousView(ins[i]!), offset };
    map(ex.input(0, view.dtype), [{ root: { input: i }, view: ins[i]! }], { root: to, view });
    return to;
  };
  /** Where an input begins: where it is, if its rows are in order there. */
  const rowsOf = (i: number): { readonly at: Place; readonly offset: number } =>
    isContiguous(ins[i]!) ? { at: { input: i }, offset: 4 * ins[i]!.offset } : { at: copied(i), offset: 0 };
  const given = ins.slice(carries + elements).map((view, k) => {
    const layout = layouts[carries + elements + k];
    const rows = rowsOf(carries + elements + k);
    if (!layout) return rows;
    const to = slotFor(physicalSpec(view, layout));
    const from = rows.offset === 0 ? rows.at : copied(carries + elements + k);
    convertLayout("pack", view, layout, from, to, { temporary: slotFor, map });
    return { at: to, offset: 0 };
  });
  const xs = ins.slice(carries, carries + elements).map((_, k) => rowsOf(carries + k));
  // A carry goes to and fro between two places; or, where all are kept, through those.
  const first = reverse ? steps - 1 : 0;
  const pairs = ins.slice(0, carries).map((spec) => (saved ? null : ([slotFor(spec), slotFor(spec)] as const)));
  pairs.forEach((pair, k) => {
    if (pair) copied(k, pair[0]);
    else copied(k, { output: carries + results + k }, first * sizeOf(ins[k]!.shape));
  });

  const { offsets, bytes } = placeSlots(slots, 64);
  const codes = [...plan.steps, ...before].map((s) => s.code);
  return {
    name: `scan ${steps}`,
    shared: bytes,
    scratch: Math.max(0, ...codes.map((c) => c.scratch ?? 0)),
    write(m) {
      const phases = writePhases(m, codes);
      const p = phaseFunction(m, "scan", signature);
      const { f } = p;
      const at = (place: Place): Value =>
        "slot" in place
          ? i32.add(p.shared, offsets[place.slot]!)
          : "input" in place
            ? p.ins[place.input]!
            : p.outs[place.output]!;
      const call = (code: WasmCode, args: readonly Value[], shared: Value) => {
        for (const { run, parts, mayFail } of phases.get(code)!) {
          f.call(run, ...args, shared, p.scratch, 0, parts);
          if (mayFail) f.if(i32.load(0, ERROR), () => f.return());
        }
      };
      for (const b of before) call(b.code, [...b.ins.map(at), at(b.out)], at(b.shared));

      const direction = reverse ? -1 : 1;
      const walk = (base: Value, bytes: number) => f.let(i32.add(base, first * bytes));
      const elementBytes = (view: View) => bytesOf({ ...view, shape: view.shape.slice(1) });
      const x = xs.map(({ at: place, offset }, k) => walk(i32.add(at(place), offset), elementBytes(ins[carries + k]!)));
      const y = outs.slice(carries, carries + results).map((view, k) => walk(p.outs[carries + k]!, elementBytes(view)));
      const now = pairs.map((pair, k) =>
        pair ? f.let(at(pair[0])) : walk(p.outs[carries + results + k]!, bytesOf(ins[k]!)),
      );
      const next = now.map(() => f.let(0));
      f.for(0, steps, 1, (i) => {
        for (const [k, to] of next.entries()) {
          const size = bytesOf(ins[k]!);
          const pair = pairs[k];
          const other = pair ? i32.sub(i32.add(at(pair[0]), at(pair[1])), now[k]!) : i32.add(now[k]!, direction * size);
          f.set(to, i32.select(p.outs[k]!, other, i32.eq(i, steps - 1)));
        }
        const where = (ref: Ref): Value => {
          if ("slot" in ref) return at(ref);
          if ("result" in ref) return ref.result < carries ? next[ref.result]! : y[ref.result - carries]!;
          if (ref.input < carries) return now[ref.input]!;
          if (ref.input < carries + elements) return x[ref.input - carries]!;
          const { at: place, offset } = given[ref.input - carries - elements]!;
          return i32.add(at(place), offset);
        };
        plan.steps.forEach(({ code, ins, outs }, s) => {
          call(code, [...ins, ...outs].map(where), at({ slot: shared[s]! }));
        });
        for (const [k, to] of next.entries()) f.set(now[k]!, to);
        const move = (list: readonly Local[], views: readonly View[]) =>
          list.forEach((at, k) => {
            f.step(at, direction * elementBytes(views[k]!));
          });
        move(x, ins.slice(carries));
        move(y, outs.slice(carries));
      });
      const mayFail = [...phases.values()].flat().some((p) => p.mayFail);
      const cost = (list: readonly { readonly code: WasmCode }[]) =>
        list.reduce((sum, { code }) => sum + phases.get(code)!.reduce((s, p) => s + p.cost, 0), 0);
      return [{ run: f, parts: 1, cost: steps * cost(plan.steps) + cost(before), mayFail }];
    },
  };
}
