// A program that trains a small MLP with @nn/tensor and its reference backend: what `npm run size` weighs.
import * as tensor from "@nn/tensor";

console.log(tensor);
