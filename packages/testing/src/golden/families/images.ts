// The part of ops that resizes images and takes them apart.

import * as nn from "@nn/conv";
import { type Builder, gives } from "./family.js";

type Size = number | number[];

export const images: Record<string, Builder> = {
  interpolate: gives((args) => {
    const given = args.options({
      size: "size",
      scale_factor: "scaleFactor",
      mode: "mode",
      align_corners: "alignCorners",
      recompute_scale_factor: "recomputeScaleFactor",
    });
    // PyTorch writes None for what is not given.
    const options = Object.fromEntries(Object.entries(given).filter(([, v]) => v !== null));
    return ({ x }) => nn.interpolate(x!, options);
  }),
  pixel_shuffle: gives((args) => {
    const factor = args.get<number>("upscale_factor");
    return ({ x }) => nn.pixelShuffle(x!, factor);
  }),
  pixel_unshuffle: gives((args) => {
    const factor = args.get<number>("downscale_factor");
    return ({ x }) => nn.pixelUnshuffle(x!, factor);
  }),
  unfold: gives((args) => {
    const kernel = args.get<Size>("kernel_size");
    const options = args.options({ dilation: "dilation", padding: "padding", stride: "stride" });
    return ({ x }) => nn.unfold(x!, kernel, options);
  }),
  fold: gives((args) => {
    const [size, kernel] = [args.get<Size>("output_size"), args.get<Size>("kernel_size")];
    const options = args.options({ dilation: "dilation", padding: "padding", stride: "stride" });
    return ({ x }) => nn.fold(x!, size, kernel, options);
  }),
};
