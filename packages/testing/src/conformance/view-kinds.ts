// Views of every kind, for the tests of the floor kernels: strided, reversed, broadcast, overlapping.

import { contiguousView, type DType, type View } from "@nn/tensor";

export const view = (shape: number[], strides: number[], offset = 0, dtype: DType = "f32"): View => ({
  shape,
  strides,
  offset,
  dtype,
});
export const plain = (shape: number[], dtype: DType = "f32"): View => contiguousView({ shape, dtype });
export const VALUES = [1, -2, 3, 0.5, -7, 11, 2.25, -0.75, 13, 4, -5, 6.5, 8];
export const WHOLE = [1, -2, 3, 5, -7, 11, 2, 0, 13, 4, -5, 6, 8];

/** Views of the shape (2, 3, 4), in memory that is larger. */
export const VIEWS: Record<string, View> = {
  contiguous: plain([2, 3, 4]),
  "with an offset": view([2, 3, 4], [12, 4, 1], 5),
  permuted: view([2, 3, 4], [1, 2, 6]),
  reversed: view([2, 3, 4], [-12, 4, -1], 15),
  "every other": view([2, 3, 4], [48, 16, 2], 1),
  "one row repeated": view([2, 3, 4], [0, 0, 1], 2),
  "one column repeated": view([2, 3, 4], [12, 4, 0]),
  "one number": view([2, 3, 4], [0, 0, 0], 3),
  windows: view([2, 3, 4], [2, 1, 1], 1),
};
/** Those that meet every element once: the ones an output may have. */
export const OUTPUTS = ["contiguous", "with an offset", "permuted", "reversed", "every other"];
