// Convolution and pooling.

import * as nn from "@nn/conv";
import type { Args } from "../case.js";
import { layer } from "./activation.js";
import { familyOf } from "./family.js";

type Size = number | number[];
type Conv = typeof nn.Conv1d | typeof nn.Conv2d | typeof nn.Conv3d;
type MaxPool = typeof nn.MaxPool1d | typeof nn.MaxPool2d | typeof nn.MaxPool3d;
type AvgPool = typeof nn.AvgPool1d | typeof nn.AvgPool2d | typeof nn.AvgPool3d;

const convolution = (Class: Conv) =>
  layer((args: Args) => {
    const options = args.options({
      stride: "stride",
      padding: "padding",
      dilation: "dilation",
      groups: "groups",
      bias: "bias",
      padding_mode: "paddingMode",
    });
    return new Class(args.get("in_channels"), args.get("out_channels"), args.get<Size>("kernel_size"), options);
  });

/** `stride: null` means the kernel size. */
const window = (args: Args, names: Readonly<Record<string, string>>) => {
  const options = args.options({ padding: "padding", ceil_mode: "ceilMode", ...names });
  const stride = args.get<Size | null>("stride", null);
  return stride === null ? options : { ...options, stride };
};

const maxPool = (Class: MaxPool) =>
  layer((args: Args) => {
    args.only("return_indices", false);
    return new Class(args.get<Size>("kernel_size"), window(args, { dilation: "dilation" }));
  });

const avgPool = (Class: AvgPool) =>
  layer((args: Args) => {
    const names = {
      count_include_pad: "countIncludePad",
      ...(args.get("divisor_override", null) === null ? {} : { divisor_override: "divisorOverride" }),
    };
    return new Class(args.get<Size>("kernel_size"), window(args, names));
  });

export const conv = familyOf({
  Conv1d: convolution(nn.Conv1d),
  Conv2d: convolution(nn.Conv2d),
  Conv3d: convolution(nn.Conv3d),
});

export const pool = familyOf({
  MaxPool1d: maxPool(nn.MaxPool1d),
  MaxPool2d: maxPool(nn.MaxPool2d),
  MaxPool3d: maxPool(nn.MaxPool3d),
  AvgPool1d: avgPool(nn.AvgPool1d),
  AvgPool2d: avgPool(nn.AvgPool2d),
  AvgPool3d: avgPool(nn.AvgPool3d),
});
