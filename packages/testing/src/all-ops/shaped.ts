// Samples of the functions of @nn/tensor that reduce, move, pick out and multiply.

import type { Tensor } from "@nn/tensor";
import * as nn from "@nn/tensor";
import { bools, distinct, flat, floats, given, ints, type Sample, sample } from "./sample.js";

const X = floats([2, 3, 4]);
const D = distinct([2, 3, 4]);
const AXES: readonly (number | number[] | null)[] = [null, 1, [0, -1]];

type Reduce = (x: Tensor, axes?: number | readonly number[] | null, options?: { keepDims?: boolean }) => Tensor;
const reduced = (name: string, f: Reduce, x = X): Sample[] => [
  ...AXES.map((axes) => sample(`${name} over ${axes}`, [x], (t) => f(t, axes))),
  sample(`${name} keepDims`, [x], (t) => f(t, [0, 2], { keepDims: true })),
];
const pair = ({ values, indices }: { values: Tensor; indices: Tensor }) => [values, indices];

const reductions: readonly Sample[] = [
  ...reduced("sum", nn.sum),
  ...reduced("mean", nn.mean),
  ...reduced("max", nn.max, D),
  ...reduced("min", nn.min, D),
  ...reduced("prod", nn.prod, floats([2, 3, 4], 0.5, 1.5)),
  sample("prod with a zero", [given([2, 3], [1, 0, 3, 4, 5, 6])], (x) => nn.prod(x, 1)),
  sample("prod with two zeros", [given([4], [0, 2, 0, 3])], (x) => nn.prod(x)),
  ...reduced("variance", nn.variance),
  sample("variance biased", [X], (x) => nn.variance(x, 1, { correction: 0 })),
  ...reduced("std", nn.std),
  ...reduced("logSumExp", nn.logSumExp),
  ...reduced("norm", nn.norm),
  sample("norm p=1", [floats([3, 4], -2, 2, { kinks: [0] })], (x) => nn.norm(x, 1, { p: 1 })),
  sample("norm p=3", [floats([3, 4], 0.5, 2)], (x) => nn.norm(x, 1, { p: 3 })),
  sample("norm p=inf", [distinct([3, 4])], (x) => nn.norm(x, 1, { p: Number.POSITIVE_INFINITY })),
  flat("norm p=0", "a count", [given([4], [0, 1, 2, 0])], (x) => nn.norm(x, 0, { p: 0 })),
  flat("sum of integers", "integers", [ints([3, 4], -9, 9)], (x) => nn.sum(x, 0)),
  flat("max of integers", "integers", [ints([3, 4], -9, 9)], (x) => nn.max(x, 1)),
  flat("prod of integers", "integers", [ints([3, 2], -5, 5)], (x) => nn.prod(x, 1)),
  flat("any", "gives bool", [bools([3, 4])], (x) => nn.any(x, 1)),
  flat("all", "gives bool", [bools([3, 4])], (x) => nn.all(x, 0, { keepDims: true })),
  flat("argmax", "gives a position", [D], (x) => [nn.argmax(x), nn.argmax(x, 1), nn.argmax(x, -1, { keepDims: true })]),
  flat("argmin", "gives a position", [D], (x) => [nn.argmin(x), nn.argmin(x, 1), nn.argmin(x, -1, { keepDims: true })]),
  flat("argmax of ties and NaN", "gives a position", [given([3, 3], [1, 2, 2, 5, 5, 5, 1, Number.NaN, 7])], (x) =>
    nn.argmax(x, 1),
  ),
  sample("maxWithIndex", [D], (x) => pair(nn.maxWithIndex(x, 1))),
  sample("minWithIndex", [D], (x) => pair(nn.minWithIndex(x, -1, { keepDims: true }))),
  sample("cumsum", [X], (x) => nn.cumsum(x, 1)),
  sample("cumsum axis -1", [X], (x) => nn.cumsum(x, -1)),
  sample("cumprod", [floats([2, 5], 0.5, 1.5)], (x) => nn.cumprod(x, 1)),
  sample("cumprod with a zero", [given([4], [2, 0, 3, 4])], (x) => nn.cumprod(x, 0)),
  sample("softmax", [X], (x) => nn.softmax(x)),
  sample("softmax axis 0", [X], (x) => nn.softmax(x, 0)),
  sample("logSoftmax", [X], (x) => nn.logSoftmax(x)),
  sample("logSoftmax axis 1", [X], (x) => nn.logSoftmax(x, 1)),
];

const movement: readonly Sample[] = [
  sample("reshape", [X], (x) => nn.reshape(x, [4, -1])),
  sample("reshape that copies", [X], (x) => nn.reshape(nn.transpose(x), [-1, 3])),
  sample("permute", [X], (x) => nn.permute(x, [2, 0, 1])),
  sample("transpose", [X], (x) => nn.transpose(x, 0, -1)),
  sample("flatten", [X], (x) => nn.flatten(x, 1)),
  sample("squeeze", [floats([2, 1, 3, 1])], (x) => nn.squeeze(x)),
  sample("unsqueeze", [X], (x) => nn.unsqueeze(x, -1)),
  sample("expand", [floats([2, 1, 3])], (x) => nn.expand(x, [2, 2, 4, 3])),
  sample("contiguous", [X], (x) => nn.contiguous(nn.transpose(x))),
  sample("slice", [X], (x) => nn.slice(x, [null, [0, -1], [null, null, 2]])),
  sample("slice backwards", [X], (x) => nn.slice(x, [[1, null, -1], null, [-1, 0, -2]])),
  sample("select", [X], (x) => nn.select(x, 1, -1)),
  sample("flip", [X], (x) => nn.flip(x, [0, 2])),
  sample("slidingWindow", [floats([2, 9])], (x) => nn.slidingWindow(x, 1, 3)),
  sample("slidingWindow apart", [floats([2, 9])], (x) => nn.slidingWindow(x, 1, 2, 3, 2)),
  sample("cat", [floats([2, 3]), floats([2, 1], 1, 2), floats([2, 2], -1, 0)], (...xs) => nn.cat(xs, 1)),
  sample("stack", [floats([2, 3]), floats([2, 3], 1, 2)], (...xs) => nn.stack(xs, 1)),
  sample("split", [X], (x) => nn.split(x, [1, 2], 1)),
  sample("chunk", [X], (x) => nn.chunk(x, 3, -1)),
  sample("pad", [floats([2, 3])], (x) =>
    nn.pad(
      x,
      [
        [1, 0],
        [2, 1],
      ],
      { value: 0.5 },
    ),
  ),
  sample("pad crop", [floats([3, 4])], (x) =>
    nn.pad(x, [
      [-1, 1],
      [1, -2],
    ]),
  ),
  ...(["reflect", "replicate", "circular"] as const).map((mode) =>
    sample(`pad ${mode}`, [floats([2, 4])], (x) =>
      nn.pad(
        x,
        [
          [1, 1],
          [2, 1],
        ],
        { mode },
      ),
    ),
  ),
  sample("repeat", [floats([2, 3])], (x) => nn.repeat(x, [2, 1, 2])),
  sample("roll", [floats([3, 4])], (x) => nn.roll(x, [1, -2], [0, 1])),
  sample("tril", [floats([2, 3, 4])], (x) => nn.tril(x, 1)),
  sample("triu", [floats([3, 4])], (x) => nn.triu(x, -1)),
];

const indexing: readonly Sample[] = [
  sample("gather", [floats([4, 3]), ints([5, 2], 0, 4)], (x, i) => nn.gather(x, 0, i)),
  sample("gather axis -1", [floats([2, 4]), ints([2, 3], 0, 4)], (x, i) => nn.gather(x, -1, i)),
  sample("scatterAdd", [floats([4, 3]), ints([2, 3], 0, 4), floats([2, 3], 3, 5)], (x, i, source) =>
    nn.scatterAdd(x, 0, i, source),
  ),
  sample("indexSelect", [floats([2, 4]), ints([5], 0, 4)], (x, i) => nn.indexSelect(x, 1, i)),
  sample("indexAdd", [floats([4, 2]), ints([3], 0, 4), floats([3, 2], 3, 5)], (x, i, source) =>
    nn.indexAdd(x, 0, i, source),
  ),
  flat("oneHot", "integers", [ints([2, 3], 0, 5)], (i) => nn.oneHot(i, 5)),
  sample("sort", [distinct([3, 5])], (x) => pair(nn.sort(x))),
  sample("sort axis 0 descending", [distinct([3, 5])], (x) => pair(nn.sort(x, { axis: 0, descending: true }))),
  flat(
    "sort ties and NaN",
    "has ties",
    [given([2, 5], [3, 1, Number.NaN, 1, 2, 0, 0, -1, Number.NaN, Number.POSITIVE_INFINITY])],
    (x) => [...pair(nn.sort(x)), ...pair(nn.sort(x, { descending: true }))],
  ),
  flat("sort integers", "integers", [ints([2, 6], -4, 4)], (x) => pair(nn.sort(x))),
  sample("topK", [distinct([3, 6])], (x) => pair(nn.topK(x, 2))),
  sample("topK least", [distinct([6, 2])], (x) => pair(nn.topK(x, 3, { axis: 0, largest: false }))),
];

const products: readonly Sample[] = [
  sample("matmul", [floats([3, 4]), floats([4, 2], -1, 1)], nn.matmul),
  sample("matmul of vectors", [floats([4]), floats([4], -1, 1)], nn.matmul),
  sample("matmul row", [floats([4]), floats([4, 2], -1, 1)], nn.matmul),
  sample("matmul column", [floats([3, 4]), floats([4], -1, 1)], nn.matmul),
  sample("matmul of many", [floats([2, 1, 3, 4]), floats([3, 4, 2], -1, 1)], nn.matmul),
  sample("matmul transposed", [floats([4, 3]), floats([2, 4], -1, 1)], (a, b) =>
    nn.matmul(nn.transpose(a), nn.transpose(b)),
  ),
  sample("matmul by one", [floats([2, 3, 4]), floats([4, 2], -1, 1)], nn.matmul),
  sample("matmul larger", [floats([17, 33], -1, 1), floats([33, 9], -1, 1, { seed: 2 })], nn.matmul),
  sample("outer", [floats([3]), floats([4], 1, 2)], nn.outer),
  sample("einsum", [floats([2, 3, 4]), floats([2, 4, 2], -1, 1)], (a, b) => nn.einsum("bij,bjk->bik", a, b)),
  sample("einsum ...", [floats([2, 3, 4]), floats([4], -1, 1)], (a, b) => nn.einsum("...i,i->...", a, b)),
  sample("einsum of three", [floats([2, 3]), floats([3, 2], -1, 1), floats([2], 1, 2)], (a, b, c) =>
    nn.einsum("ij,jk,k->ki", a, b, c),
  ),
  sample("einsum of one", [X], (x) => nn.einsum("abc->ca", x)),
];

export const shaped: readonly Sample[] = [...reductions, ...movement, ...indexing, ...products];
