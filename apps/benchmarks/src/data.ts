/** Made-up inputs, the same in every run. Drawn here and not on the backend, so that they cost no kernels. */
import { type Tensor, tensor } from "@nn/tensor";

/** f32, uniform on ±`bound`. */
export function uniform(shape: readonly number[], bound = 1): Tensor {
  const values = new Float32Array(sizeOf(shape));
  for (let i = 0; i < values.length; i++) values[i] = (next() * 2 - 1) * bound;
  return tensor(values, { shape });
}

/** i32, from 0 to `end` − 1. */
export function integers(shape: readonly number[], end: number): Tensor {
  const values = new Int32Array(sizeOf(shape));
  for (let i = 0; i < values.length; i++) values[i] = Math.floor(next() * end);
  return tensor(values, { shape });
}

// ---------------------------------------------------------------------------------------------

let state = 12345;

/** From 0 up to but without 1: a linear congruential generator (Numerical Recipes), its upper 24 bits. */
function next(): number {
  state = (Math.imul(state, 1664525) + 1013904223) | 0;
  return (state >>> 8) / 2 ** 24;
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((n, d) => n * d, 1);
}
