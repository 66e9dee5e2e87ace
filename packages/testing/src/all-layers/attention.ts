// Attention, and ConvLSTM.

import * as conv from "@nn/conv";
import * as nn from "@nn/layers";
import type { Tensor } from "@nn/tensor";
import { floats, given } from "../all-ops/index.js";
import { all, type LayerSample, of } from "./sample.js";

const MASK = given([2, 5], [0, 0, 1, 0, 1, 0, 0, 0, 0, 0], "bool");

export const attention: readonly LayerSample[] = [
  of(
    "MultiheadAttention",
    () => new nn.MultiheadAttention(4, 2, { batchFirst: true }),
    [floats([2, 5, 4]), MASK],
    (m, x, keyPaddingMask) => Object.values(m.forward(x!, x!, x!, { keyPaddingMask: keyPaddingMask! })) as Tensor[],
  ),
  of(
    "MultiheadAttention of others",
    () => new nn.MultiheadAttention(4, 2, { kdim: 3, vdim: 2, addBiasKv: true, addZeroAttn: true, dropout: 0.2 }),
    [floats([3, 2, 4]), floats([5, 2, 3]), floats([5, 2, 2]), floats([3, 5])],
    (m, q, k, v, attnMask) => m.forward(q!, k!, v!, { attnMask: attnMask!, isCausal: true }).output,
  ),
  of(
    "AdditiveAttention",
    () => new nn.AdditiveAttention(4, 3, 6),
    [floats([2, 4]), floats([2, 5, 3]), MASK],
    (m, q, k, mask) => Object.values(m.forward(q!, k!, k!, { keyPaddingMask: mask! })),
  ),
  of(
    "DotAttention",
    () => new nn.DotAttention(4, 3),
    [floats([2, 2, 4]), floats([2, 5, 3]), MASK],
    (m, q, k, mask) => Object.values(m.forward(q!, k!, k!, { keyPaddingMask: mask! })),
  ),
  of(
    "ConvLSTM1d",
    () => new conv.ConvLSTM1d(2, 3, 3, { batchFirst: true }),
    [floats([2, 3, 2, 5], -1, 1)],
    (m, x) => all(m.forward(x!)),
  ),
  of(
    "ConvLSTM2d",
    () => new conv.ConvLSTM2d(2, 2, [3, 2], { peephole: true }),
    [floats([2, 1, 2, 3, 4], -1, 1), floats([1, 2, 3, 4]), floats([1, 2, 3, 4], 0, 1)],
    (m, x, h, c) => all(m.forward(x!, { h: h!, c: c! })),
  ),
];
