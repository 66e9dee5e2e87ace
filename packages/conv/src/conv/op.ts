// conv/conv and its two gradients, for 1 to 3 spatial axes. Each of the three is a product of patches, weights and output
// gradients, so the gradients of each are the other two.
//
// Lowering: patches (G, C/G·K, N·O) once in memory, then one matmul per group with long rows: weight (G, O/G, C/G·K).
// Padding is the caller's: [before, after] per axis. Transposed convolution is convInputGrad.

import {
  apply1, assemble, defineOp, fail, matmul, type OpDef, type Padding, pad, permuteView, rowMajor, show, slidingWindow, type Tensor, type View, windowCount, windowView,
} from "@nn/tensor";

export interface ConvAttrs {
  readonly stride: readonly number[];
  readonly padding: readonly Padding[];
  readonly dilation: readonly number[];
  readonly groups: number;
}

/** Spatial axes of the output. */
export function outputSizes(size: readonly number[], kernel: readonly number[], { stride, padding, dilation }: Omit<ConvAttrs, "groups">): number[] {
  return size.map((d, i) => windowCount(d + padding[i]![0] + padding[i]![1], kernel[i]!, stride[i]!, dilation[i]!));
}

/** x (N, C, S…), weight (O, C/groups, K…) → (N, O, S′…). */
export const convOp: OpDef<ConvAttrs> = defineOp({
  name: "conv/conv",
  infer([x, w], attrs) {
    const [n, c, ...size] = x!.shape as [number, number, ...number[]];
    const [o, cg, ...kernel] = w!.shape as [number, number, ...number[]];
    const axes = attrs.stride.length;
    const letters = ["D", "H", "W"].slice(3 - axes).join(", ");
    if (x!.shape.length !== axes + 2 || w!.shape.length !== axes + 2 || c !== cg * attrs.groups) {
      fail({
        op: "conv",
        expected: `x (N, ${cg * attrs.groups}, ${letters})`,
        got: `${show(x!.shape)}${x!.shape.length === axes + 2 ? `: channel ${c} ≠ inChannels ${cg * attrs.groups}` : ""}`,
        hint: "Layout is (N, C, spatial…); a single sample may leave out N.",
      });
    }
    if (o % attrs.groups !== 0) fail({ op: "conv", expected: `output channels that ${attrs.groups} groups divide`, got: `${o}` });
    const out = outputSizes(size, kernel, attrs);
    if (out.some((d) => d < 1)) {
      fail({
        op: "conv",
        expected: `a padded input at least as large as the kernel ${show(kernel)} with dilation ${show(attrs.dilation)}`,
        got: `x ${show(x!.shape)} with padding ${JSON.stringify(attrs.padding)}`,
        hint: "Add padding, or use a smaller kernel.",
      });
    }
    return [{ shape: [n, o, ...out], dtype: "f32" }];
  },
  lower([x, w], attrs) {
    const { groups } = attrs;
    const [o, cg, ...kernel] = w!.shape as [number, number, ...number[]];
    const columns = patches(x!, kernel, attrs);
    const y = matmul(w!.reshape([groups, o / groups, cg * size(kernel)]), columns);
    const n = x!.shape[0]!;
    const out = outputSizes(x!.shape.slice(2), kernel, attrs);
    return [swapFirstTwo(y.reshape([o, n, ...out]))];
  },
  vjp([dy], { ins: [x, w], attrs, needs }) {
    if (!dy) return [null, null];
    return [
      needs[0] ? apply1(convInputGradOp, [dy, w!], { ...attrs, size: x!.shape.slice(2) }) : null,
      needs[1] ? apply1(convWeightGradOp, [x!, dy], { ...attrs, kernel: w!.shape.slice(2) }) : null,
    ];
  },
});

/** dy (N, O, S′…), weight (O, C/groups, K…) → dx (N, C, S…), S = `size`. Also transposed convolution. */
export const convInputGradOp: OpDef<ConvAttrs & { readonly size: readonly number[] }> = defineOp({
  name: "conv/convInputGrad",
  infer([dy, w], { groups, size: s, ...attrs }) {
    const out = outputSizes(s, w!.shape.slice(2), attrs);
    const want = [dy!.shape[0]!, w!.shape[0]!, ...out];
    if (show(dy!.shape) !== show(want)) fail({ op: "convInputGrad", expected: `dy ${show(want)}`, got: show(dy!.shape) });
    return [{ shape: [dy!.shape[0]!, w!.shape[1]! * groups, ...s], dtype: "f32" }];
  },
  lower([dy, w], { size: s, ...attrs }) {
    const { groups, padding } = attrs;
    const [o, cg, ...kernel] = w!.shape as [number, number, ...number[]];
    const [n, , ...out] = dy!.shape as [number, number, ...number[]];
    const rows = swapFirstTwo(dy!).reshape([groups, o / groups, n * size(out)]);
    const columns = matmul(w!.reshape([groups, o / groups, cg * size(kernel)]).transpose(), rows);
    // Each patch goes back to where it was read, adding up.
    const shape = [n, cg * groups, ...s.map((d, i) => d + padding[i]![0] + padding[i]![1])];
    const region = patchView({ shape, dtype: "f32", offset: 0, strides: rowMajor(shape) }, kernel, attrs);
    const whole = apply1(assemble, [columns.reshape(region.shape)], { shape, fill: 0, regions: [region], accumulate: true });
    return [whole.slice([null, null, ...s.map((d, i) => [padding[i]![0], padding[i]![0] + d] as const)])];
  },
  vjp([ct], { ins: [dy, w], attrs: { size: _, ...attrs }, needs }) {
    if (!ct) return [null, null];
    return [
      needs[0] ? apply1(convOp, [ct, w!], attrs) : null,
      needs[1] ? apply1(convWeightGradOp, [ct, dy!], { ...attrs, kernel: w!.shape.slice(2) }) : null,
    ];
  },
});

/** x (N, C, S…), dy (N, O, S′…) → dw (O, C/groups, K…), K = `kernel`. */
export const convWeightGradOp: OpDef<ConvAttrs & { readonly kernel: readonly number[] }> = defineOp({
  name: "conv/convWeightGrad",
  infer: ([x, dy], { groups, kernel }) => [{ shape: [dy!.shape[1]!, x!.shape[1]! / groups, ...kernel], dtype: "f32" }],
  lower([x, dy], { kernel, ...attrs }) {
    const { groups } = attrs;
    const [n, o, ...out] = dy!.shape as [number, number, ...number[]];
    const rows = swapFirstTwo(dy!).reshape([groups, o / groups, n * size(out)]);
    const dw = matmul(rows, patches(x!, kernel, attrs).transpose());
    return [dw.reshape([o, x!.shape[1]! / groups, ...kernel])];
  },
  vjp([ct], { ins: [x, dy], attrs: { kernel: _, ...attrs }, needs }) {
    if (!ct) return [null, null];
    return [
      needs[0] ? apply1(convInputGradOp, [dy!, ct], { ...attrs, size: x!.shape.slice(2) }) : null,
      needs[1] ? apply1(convOp, [x!, ct], attrs) : null,
    ];
  },
});

// ───────────────────────────────────────────────────────────────────────────────────────────────────

/** All patches as columns: (G, C/G·K, N·O). */
function patches(x: Tensor, kernel: readonly number[], { stride, padding, dilation, groups }: ConvAttrs): Tensor {
  let windows = padding.some(([a, b]) => a !== 0 || b !== 0) ? pad(x, padding) : x;
  kernel.forEach((k, i) => {
    windows = slidingWindow(windows, i + 2, k, stride[i]!, dilation[i]!);
  });
  const [n, c] = x.shape as [number, number];
  const axes = kernel.length;
  const out = windows.shape.slice(2, 2 + axes);
  const order = [1, ...kernel.map((_, i) => 2 + axes + i), 0, ...kernel.map((_, i) => 2 + i)];
  return windows.permute(order).reshape([groups, (c / groups) * size(kernel), n * size(out)]);
}

/** Where the elements of {@link patches}, as (C, K…, N, O…), lie in a padded input. */
function patchView(of: View, kernel: readonly number[], { stride, dilation }: ConvAttrs): View {
  const axes = kernel.length;
  const windows = kernel.reduce((v, k, i) => windowView(v, i + 2, k, stride[i]!, dilation[i]!), of);
  return permuteView(windows, [1, ...kernel.map((_, i) => 2 + axes + i), 0, ...kernel.map((_, i) => 2 + i)]);
}

function swapFirstTwo(t: Tensor): Tensor {
  return t.transpose(0, 1);
}

function size(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

