// An op of its own: hypot(a, b) = √(a² + b²), elementwise over equal shapes.
import { apply, defineOp, fail, type OpDef, show, type Tensor } from "@nn/tensor";

/** The op: shape rule, lowering and gradient side by side. It has no attributes. */
export const hypotOp: OpDef<object> = defineOp({
  name: "example/hypot",
  infer([a, b]) {
    if (show(a!.shape) !== show(b!.shape)) {
      fail({ op: "example/hypot", expected: "a and b of one shape", got: `${show(a!.shape)} and ${show(b!.shape)}` });
    }
    return [{ shape: a!.shape, dtype: "f32" }];
  },
  lower: ([a, b]) => [a!.square().add(b!.square()).sqrt()],
  vjp([ct], { ins: [a, b], outs: [c] }) {
    const share = ct!.div(c!);
    return [share.mul(a!), share.mul(b!)];
  },
});

/** What users call. */
export function hypot(a: Tensor, b: Tensor): Tensor {
  return apply(hypotOp, [a, b], {})[0]!;
}
