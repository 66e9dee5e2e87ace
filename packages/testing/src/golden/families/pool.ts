// Pooling.

import type { AdaptiveSize, Size } from "@nn/conv";
import * as nn from "@nn/conv";
import type { Module, Tensor } from "@nn/tensor";
import type { Args } from "../case.js";
import type { Tensors } from "../subject.js";
import { layer } from "./activation.js";
import { type Builder, familyOf } from "./family.js";

type MaxPool = typeof nn.MaxPool1d | typeof nn.MaxPool2d | typeof nn.MaxPool3d;
type AvgPool = typeof nn.AvgPool1d | typeof nn.AvgPool2d | typeof nn.AvgPool3d;
type LPPool = typeof nn.LPPool1d | typeof nn.LPPool2d | typeof nn.LPPool3d;
type MaxUnpool = typeof nn.MaxUnpool1d | typeof nn.MaxUnpool2d | typeof nn.MaxUnpool3d;
type AdaptiveAvg = typeof nn.AdaptiveAvgPool1d | typeof nn.AdaptiveAvgPool2d | typeof nn.AdaptiveAvgPool3d;
type AdaptiveMax = typeof nn.AdaptiveMaxPool1d | typeof nn.AdaptiveMaxPool2d | typeof nn.AdaptiveMaxPool3d;

/** `stride: null` means the kernel size. */
const window = (args: Args, names: Readonly<Record<string, string>>) => {
  const options = args.options(names);
  const stride = args.get<Size | null>("stride", null);
  return stride === null ? options : { ...options, stride };
};

type WithIndices = Module & {
  forward(x: Tensor): Tensor;
  forwardWithIndices(x: Tensor): { values: Tensor; indices: Tensor };
};
const greatest =
  (make: (args: Args) => WithIndices): Builder =>
  (args) => {
    const withIndices = args.get("return_indices", false);
    const module = make(args);
    return {
      module,
      run({ x }): Tensors {
        if (!withIndices) return { y: module.forward(x!) };
        const { values, indices } = module.forwardWithIndices(x!);
        return { y: values, indices };
      },
    };
  };

const maxPool = (Class: MaxPool) =>
  greatest((args) => {
    const options = window(args, { padding: "padding", ceil_mode: "ceilMode", dilation: "dilation" });
    return new Class(args.get<Size>("kernel_size"), options);
  });

const avgPool = (Class: AvgPool) =>
  layer((args: Args) => {
    const names = {
      padding: "padding",
      ceil_mode: "ceilMode",
      count_include_pad: "countIncludePad",
      ...(args.get("divisor_override", null) === null ? {} : { divisor_override: "divisorOverride" }),
    };
    return new Class(args.get<Size>("kernel_size"), window(args, names));
  });

const lpPool = (Class: LPPool) =>
  layer((args: Args) => {
    const options = window(args, { ceil_mode: "ceilMode" });
    return new Class(args.get<number>("norm_type"), args.get<Size>("kernel_size"), options);
  });

const maxUnpool =
  (Class: MaxUnpool): Builder =>
  (args) => {
    const module = new Class(args.get<Size>("kernel_size"), window(args, { padding: "padding" }));
    const outputSize = args.get<number[] | null>("output_size", null) ?? undefined;
    return { module, run: ({ x, indices }) => ({ y: module.forward(x!, indices!, outputSize) }) };
  };

const adaptiveAvg = (Class: AdaptiveAvg) => layer((args: Args) => new Class(args.get<AdaptiveSize>("output_size")));
const adaptiveMax = (Class: AdaptiveMax) => greatest((args) => new Class(args.get<AdaptiveSize>("output_size")));

export const pool = familyOf({
  MaxPool1d: maxPool(nn.MaxPool1d),
  MaxPool2d: maxPool(nn.MaxPool2d),
  MaxPool3d: maxPool(nn.MaxPool3d),
  AvgPool1d: avgPool(nn.AvgPool1d),
  AvgPool2d: avgPool(nn.AvgPool2d),
  AvgPool3d: avgPool(nn.AvgPool3d),
  LPPool1d: lpPool(nn.LPPool1d),
  LPPool2d: lpPool(nn.LPPool2d),
  LPPool3d: lpPool(nn.LPPool3d),
  MaxUnpool1d: maxUnpool(nn.MaxUnpool1d),
  MaxUnpool2d: maxUnpool(nn.MaxUnpool2d),
  MaxUnpool3d: maxUnpool(nn.MaxUnpool3d),
  AdaptiveAvgPool1d: adaptiveAvg(nn.AdaptiveAvgPool1d),
  AdaptiveAvgPool2d: adaptiveAvg(nn.AdaptiveAvgPool2d),
  AdaptiveAvgPool3d: adaptiveAvg(nn.AdaptiveAvgPool3d),
  AdaptiveMaxPool1d: adaptiveMax(nn.AdaptiveMaxPool1d),
  AdaptiveMaxPool2d: adaptiveMax(nn.AdaptiveMaxPool2d),
  AdaptiveMaxPool3d: adaptiveMax(nn.AdaptiveMaxPool3d),
});
