// Running a function on shapes alone: as in compile(), ops are written down, and nothing is computed.

import { customGradient, expand, type OpDef, type Spec, scope, type Tensor, zeros } from "@nn/tensor";

/**
 * Calls `f` with a tensor that has a shape and no elements. No op runs, no Variable changes, no random number is drawn.
 *
 * @param onProduct told of every matrix product, in multiply-adds. Ops that are not of the floor are taken apart till
 *   nothing but products and floor ops is left: a convolution is a product with patches, a recurrence one per step
 */
export function onShapes(spec: Spec, f: (x: Tensor) => void, onProduct: (multiplyAdds: number) => void): void {
  let traced = false;
  // An op whose shape rule, which runs on symbols, is the function. The op itself then does nothing.
  const shapes = customGradient({
    name: "onShapes",
    forward(x) {
      if (!traced) {
        traced = true;
        takeApart(x.symbol!.trace as Tracer, onProduct);
        f(x);
      }
      return x;
    },
    backward: (ct) => [ct],
  });
  scope(() => void shapes(expand(zeros([], { dtype: spec.dtype }), spec.shape)));
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

/** What a symbol belongs to: the interpreter that all ops go to meanwhile. */
interface Tracer {
  apply(op: OpDef, ins: readonly Tensor[], attrs: unknown, outs: readonly Spec[]): readonly Tensor[];
}

function takeApart(trace: Tracer, onProduct: (multiplyAdds: number) => void): void {
  const record = trace.apply.bind(trace);
  trace.apply = (op, ins, attrs, outs) => {
    if (op.name !== "matmul" && op.lower) return op.lower(ins, attrs);
    const result = record(op, ins, attrs, outs);
    if (op.name === "matmul") onProduct(result[0]!.size * ins[0]!.shape.at(-1)!);
    return result;
  };
}
