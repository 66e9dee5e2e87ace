// @nn/models: well-known networks, what they are made of, and what they see. What is exported here is public.

export type { Conv } from "./conv.js";
export { activations } from "./explain/activations.js";
export { filterImages } from "./explain/filter-images.js";
export { type GradCamOptions, gradCam } from "./explain/grad-cam.js";
export { type SaliencyOptions, saliency } from "./explain/saliency.js";
export type { Target } from "./explain/target.js";
export { FCN, type FCNOptions, fcn } from "./fcn.js";
export { type ConvNormPairs, foldBatchNorm, fuseConvBatchNorm } from "./fuse.js";
export { LeNet5, type LeNet5Options, lenet5 } from "./lenet.js";
export { InvertedResidual, MobileNetV2, type MobileNetV2Options, mobileNetV2 } from "./mobilenet.js";
export {
  BasicBlock,
  PadShortcut,
  ResNet,
  ResNetCifar,
  type ResNetCifarOptions,
  type ResNetOptions,
  resnet18,
  resnetCifar,
  type Shortcut,
} from "./resnet.js";
export { type Summary, type SummaryOptions, type SummaryRow, summary } from "./summary.js";
export { UNet, type UNetOptions, unet } from "./unet.js";
