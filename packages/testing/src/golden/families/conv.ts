// Convolution.

import * as nn from "@nn/conv";
import type { Args } from "../case.js";
import { layer } from "./activation.js";
import { type Builder, familyOf } from "./family.js";

type Size = number | number[];
type Conv = typeof nn.Conv1d | typeof nn.Conv2d | typeof nn.Conv3d;
type ConvTranspose = typeof nn.ConvTranspose1d | typeof nn.ConvTranspose2d | typeof nn.ConvTranspose3d;

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

const transposed =
  (Class: ConvTranspose): Builder =>
  (args) => {
    const options = args.options({
      stride: "stride",
      padding: "padding",
      output_padding: "outputPadding",
      dilation: "dilation",
      groups: "groups",
      bias: "bias",
    });
    const outputSize = args.get<number[] | undefined>("output_size", undefined);
    args.only("padding_mode", "zeros");
    const module = new Class(args.get("in_channels"), args.get("out_channels"), args.get<Size>("kernel_size"), options);
    return { module, run: ({ x }) => ({ y: module.forward(x!, outputSize) }) };
  };

export const conv = familyOf({
  Conv1d: convolution(nn.Conv1d),
  Conv2d: convolution(nn.Conv2d),
  Conv3d: convolution(nn.Conv3d),
  ConvTranspose1d: transposed(nn.ConvTranspose1d),
  ConvTranspose2d: transposed(nn.ConvTranspose2d),
  ConvTranspose3d: transposed(nn.ConvTranspose3d),
});
