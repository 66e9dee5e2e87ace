// gather: a thread per element of the result.

import { type AxisAttrs, expandView, sizeOf } from "@nn/tensor";
import { eachElement, groupsOf, reads, typeOf, type WgslKernel, writes } from "../code.js";
import { literal, placeOf } from "../walk.js";

export const gather: WgslKernel<AxisAttrs> = {
  op: "gather",
  emit({ ins: [x, index], outs: [out], attrs: { axis } }) {
    const size = sizeOf(out!.shape);
    if (size === 0) return { name: "gather", passes: [] };
    const rest = expandView({ ...x!, shape: x!.shape.with(axis, 1), strides: x!.strides.with(axis, 0) }, out!.shape);
    const place = placeOf([rest, index!], out!.shape, "i", "c");
    const body = [
      ...place.lines,
      `let j = u32(in1[${place.at[1]}]);`,
      `var value = ${typeOf(x!.dtype)}(0);`,
      // What lies outside reads 0; below 0, too, which is large as a u32.
      `if (j < ${x!.shape[axis]}u) { value = in0[${place.at[0]} + i32(j) * ${literal(x!.strides[axis]!)}]; }`,
      "out0[i] = value;",
    ];
    return {
      name: "gather",
      passes: [
        {
          text: eachElement(size, body),
          bindings: [reads("in0", x!.dtype), reads("in1", index!.dtype), writes("out0", out!.dtype)],
          groups: groupsOf(size),
        },
      ],
    };
  },
};
