// pixelShuffle and back: channels become pixels. Only views and one copy.

import { fail, permute, reshape, scope, show, type Tensor } from "@nn/tensor";
import { count } from "../spatial.js";

/**
 * Makes an image larger by taking the pixels of each `factor` × `factor` square from as many channels (Shi et al.,
 * [2016](https://arxiv.org/abs/1609.05158)), as
 * [torch.nn.functional.pixel_shuffle](https://pytorch.org/docs/stable/generated/torch.nn.functional.pixel_shuffle.html).
 *
 * @param x (…, C · factor², H, W)
 * @returns (…, C, H · factor, W · factor)
 * @throws {@link NNError} if factor² does not divide the channels
 * @example
 * ```ts
 * pixelShuffle(zeros([1, 8, 3, 2]), 2).shape; // [1, 2, 6, 4]
 * ```
 */
export function pixelShuffle(x: Tensor, factor: number): Tensor {
  const r = count("pixelShuffle", "factor", factor);
  const [lead, c, h, w] = image("pixelShuffle", x);
  if (c % (r * r) !== 0) {
    fail({
      op: "pixelShuffle",
      expected: `x (…, C, H, W) with channels that ${r}² = ${r * r} divides`,
      got: show(x.shape),
    });
  }
  const channels = c / (r * r);
  const n = lead.length;
  const order = [...lead.keys(), n, n + 3, n + 1, n + 4, n + 2];
  return regrouped(x, [...lead, channels, r, r, h, w], order, [...lead, channels, h * r, w * r]);
}

/**
 * The inverse of {@link pixelShuffle}, as
 * [torch.nn.functional.pixel_unshuffle](https://pytorch.org/docs/stable/generated/torch.nn.functional.pixel_unshuffle.html).
 *
 * @param x (…, C, H · factor, W · factor)
 * @returns (…, C · factor², H, W)
 * @throws {@link NNError} if the factor does not divide height and width
 * @example
 * ```ts
 * pixelUnshuffle(zeros([1, 2, 6, 4]), 2).shape; // [1, 8, 3, 2]
 * ```
 */
export function pixelUnshuffle(x: Tensor, factor: number): Tensor {
  const r = count("pixelUnshuffle", "factor", factor);
  const [lead, c, h, w] = image("pixelUnshuffle", x);
  if (h % r !== 0 || w % r !== 0) {
    fail({
      op: "pixelUnshuffle",
      expected: `x (…, C, H, W) with height and width that ${r} divides`,
      got: show(x.shape),
    });
  }
  const n = lead.length;
  const order = [...lead.keys(), n, n + 2, n + 4, n + 1, n + 3];
  return regrouped(x, [...lead, c, h / r, r, w / r, r], order, [...lead, c * r * r, h / r, w / r]);
}

/** The axes taken apart, in another order, and together again. */
function regrouped(x: Tensor, apart: readonly number[], order: readonly number[], shape: readonly number[]): Tensor {
  return scope(() => reshape(permute(reshape(x, apart), order), shape));
}

function image(op: string, x: Tensor): readonly [lead: readonly number[], c: number, h: number, w: number] {
  if (x.rank < 3) fail({ op, expected: "x (…, C, H, W)", got: show(x.shape) });
  const [c, h, w] = x.shape.slice(-3) as [number, number, number];
  return [x.shape.slice(0, -3), c, h, w];
}
