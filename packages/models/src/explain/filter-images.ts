// Filters as images: what a convolution looks for.

import { scope, type Tensor } from "@nn/tensor";
import type { Conv } from "../conv.js";

/**
 * The filters of a convolution, each stretched to [0, 1]: its least weight becomes 0, its greatest 1 (a filter of equal
 * weights: 0). Of a first layer on colour images, a filter is a colour image.
 *
 * @returns (O, I / groups, …kernel)
 * @example
 * ```ts
 * filterImages(resnet.conv1).shape; // [64, 3, 7, 7]
 * ```
 */
export function filterImages(conv: Conv): Tensor {
  return scope(() => {
    const w = conv.weight.value;
    const inside = w.shape.slice(1).map((_, i) => i + 1);
    const low = w.min(inside, { keepDims: true });
    const span = w.max(inside, { keepDims: true }).sub(low);
    return w.sub(low).div(span.add(span.eq(0)));
  });
}
