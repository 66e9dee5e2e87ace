// Convolution over one axis: the kernels for two, with images of one row.

import type { WasmKernel } from "@nn/backend-wasm";
import type { Signature, View } from "@nn/tensor";
import type { ConvInputGradAttrs, ConvWeightGradAttrs } from "../conv/conv.js";

type Attrs = ConvInputGradAttrs & ConvWeightGradAttrs;

/** The kernel, for one axis as well as for two. */
export function alsoForOneAxis<A>(kernel: WasmKernel<A>): WasmKernel<A> {
  const inRows = (signature: Signature<any>) => (signature.attrs.stride.length === 1 ? withRow(signature) : signature);
  return {
    ...kernel,
    accepts: (signature) => kernel.accepts!(inRows(signature)),
    emit: (signature) => kernel.emit(inRows(signature)),
  };
}

function withRow({ ins, outs, attrs, ...rest }: Signature<Attrs>): Signature<any> {
  const { stride, padding, dilation, kernelSize, inputSize } = attrs;
  return {
    ...rest,
    ins: ins.map(asImage),
    outs: outs.map(asImage),
    attrs: {
      ...attrs,
      stride: [1, ...stride],
      padding: [[0, 0], ...padding],
      dilation: [1, ...dilation],
      ...(kernelSize && { kernelSize: [1, ...kernelSize] }),
      ...(inputSize && { inputSize: [1, ...inputSize] }),
    },
  };
}

/** (N, C, L) as (N, C, 1, L); a bias is what it is. */
function asImage(v: View): View {
  if (v.shape.length < 3) return v;
  const [length, stride] = [v.shape[2]!, v.strides[2]!];
  return { ...v, shape: v.shape.toSpliced(2, 0, 1), strides: v.strides.toSpliced(2, 0, length * stride) };
}
