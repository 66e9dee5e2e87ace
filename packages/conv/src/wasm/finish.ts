// The epilogue: the formula of a result, over a part of it that is still in the cache.

import {
  elementwise,
  type Local,
  loadElements,
  type PhaseFunc,
  row,
  storeElements,
  type Value,
} from "@nn/backend-wasm";
import type { Signature } from "@nn/tensor";
import { place } from "./planes.js";

/** Over `rows` rows of some channels of a sample, from `[sample, channel, y]`. */
export function finish(
  { f, ins, outs }: PhaseFunc,
  { epilogue, ...signature }: Signature<any>,
  channels: number,
  start: readonly Value[],
  rows: Value | number,
): void {
  if (!epilogue) return;
  const first = ins.length - epilogue.extra;
  const views = [signature.outs[0]!, ...signature.ins.slice(first)];
  const at = [outs[0]!, ...ins.slice(first)].map((base, i) =>
    place(f, base, [views[i]!.offset, 1], ...start.map((n, axis) => [n, views[i]!.strides[axis]!] as const)),
  );
  const step = (list: readonly Local[], axis: number) => {
    for (const [i, p] of list.entries()) f.step(p, 4 * views[i]!.strides[axis]!);
  };
  const inner = views.map((v) => v.strides[3]!);
  const formula = elementwise(f, epilogue.expr);
  f.for(0, rows, 1, () => {
    const channel = at.map((p) => f.let(p));
    f.repeat(channels, () => {
      row(f, views[0]!.shape[3]!, channel, inner, {}, (n, q) =>
        storeElements(
          f,
          q[0]!,
          1,
          n,
          formula((i) => loadElements(f, q[i]!, inner[i]!, n)),
        ),
      );
      step(channel, 1);
    });
    step(at, 2);
  });
}
