// Cross entropy of class numbers and its gradient: each one dispatch over the lines of the classes.

import { overLines, type WgslKernel } from "@nn/backend-webgpu";
import type { View } from "@nn/tensor";
import type { CrossEntropyAttrs } from "../losses/cross-entropy-op.js";

export const crossEntropyKernel: WgslKernel<CrossEntropyAttrs> = {
  op: "layers/crossEntropy",
  accepts: ({ ins: [x], attrs }) => x!.shape[attrs.axis]! > 0,
  emit: (signature) =>
    overLines("crossEntropy", signature, 0, ({ at, once }) => [
      ...wanted(signature.ins[1]!, at(1), 1, signature.attrs, signature.ins[0]!),
      "let j = select(0u, u32(wanted), counts);",
      `let v = in0[${at(0)}];`,
      ...once(`out0[${at(2)}] = select(0.0, nn_log(sum) - (v - most), counts);`),
    ]),
};

export const crossEntropyGrad: WgslKernel<CrossEntropyAttrs> = {
  op: "layers/crossEntropyGrad",
  emit: (signature) =>
    overLines("crossEntropy gradient", signature, 1, ({ at, each }) => [
      ...wanted(signature.ins[2]!, at(2), 2, signature.attrs, signature.ins[1]!),
      `let g = in0[${at(0)}];`,
      ...each(
        `out0[${at(3)}] = select(0.0, (nn_exp(v - most) / sum - select(0.0, 1.0, j == u32(wanted))) * g, counts);`,
      ),
    ]),
};

/** The line's class, `wanted`, and whether it `counts`: it is none to ignore, and there is such a class. */
function wanted(target: View, at: string, k: number, { axis, ignoreIndex }: CrossEntropyAttrs, x: View): string[] {
  const isUnsigned = target.dtype === "u32";
  const [low, high] = isUnsigned ? [0, 0xffffffff] : [-0x80000000, 0x7fffffff];
  // Another number is nobody's class.
  const canBe = Number.isInteger(ignoreIndex) && ignoreIndex >= low && ignoreIndex <= high;
  const ignored = isUnsigned ? `${ignoreIndex}u` : `i32(${ignoreIndex})`;
  return [
    `let wanted = in${k}[${at}];`,
    `let counts = u32(wanted) < ${x.shape[axis]}u${canBe ? ` && wanted != ${ignored}` : ""};`,
  ];
}
