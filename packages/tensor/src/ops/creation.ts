// Making tensors from data, constants and coordinates.

import { apply1 } from "../apply.js";
import { getBackend } from "../current.js";
import { fail, show } from "../errors.js";
import { call, cast, type Expr, index, num } from "../expr.js";
import { map } from "../primitives.js";
import { arrayOf, checkShape, type DType, type Spec, sameShape, sizeOf } from "../spec.js";
import { allocate } from "../storage.js";
import { Tensor } from "../tensor.js";

/** What {@link tensor} takes: numbers or booleans, nested arrays of them, or a typed array. */
export type TensorData =
  | number
  | boolean
  | readonly TensorData[]
  | Float32Array
  | Float64Array
  | Int32Array
  | Uint32Array
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array;

export interface Typed {
  readonly dtype?: DType;
}

/**
 * Makes a tensor from data, which is copied.
 *
 * @param data nested arrays (their nesting gives the shape) or a flat typed array
 * @param options.shape shape of a flat array; default 1-d
 * @param options.dtype default: f32 for numbers, bool for booleans, the array's own for Float32/Int32/Uint32Array,
 *   i32 for smaller integers
 * @example
 * ```ts
 * tensor([[1, 2, 3], [4, 5, 6]]);                       // (2, 3) f32
 * tensor(new Int32Array([0, 2, 1]));                    // (3) i32
 * tensor(pixels, { shape: [28, 28] }).mul(1 / 255);
 * ```
 */
export function tensor(data: TensorData, options: Typed & { readonly shape?: readonly number[] } = {}): Tensor {
  const flat: number[] | ArrayLike<number> = ArrayBuffer.isView(data) ? (data as unknown as ArrayLike<number>) : [];
  const shape = ArrayBuffer.isView(data) ? [flat.length] : nested(data, flat as number[]);
  const dtype = options.dtype ?? dtypeOf(data);
  const wanted = options.shape ?? shape;
  checkShape("tensor", wanted);
  if (sizeOf(wanted) !== flat.length) {
    fail({ op: "tensor", expected: `${sizeOf(wanted)} elements for shape ${show(wanted)}`, got: `${flat.length}` });
  }
  const array = new (arrayOf(dtype))(flat.length);
  if (dtype === "bool") for (let i = 0; i < flat.length; i++) array[i] = flat[i] ? 1 : 0;
  else array.set(flat);
  return fromTyped(array, { shape: wanted, dtype });
}

/** Appends the elements to `flat`; returns the shape. */
function nested(data: unknown, flat: number[]): number[] {
  if (!Array.isArray(data)) {
    if (typeof data !== "number" && typeof data !== "boolean") {
      fail({
        op: "tensor",
        expected: "numbers, booleans, arrays of them, or a typed array",
        got: data === null ? "null" : typeof data,
      });
    }
    flat.push(Number(data));
    return [];
  }
  const shapes = data.map((part) => nested(part, flat));
  const inner = shapes[0] ?? [];
  const odd = shapes.findIndex((shape) => !sameShape(shape, inner));
  if (odd > 0) {
    fail({
      op: "tensor",
      expected: `rows of one shape ${show(inner)}`,
      got: `${show(shapes[odd]!)} at position ${odd}`,
      hint: "Pad ragged rows first.",
    });
  }
  return [data.length, ...inner];
}

function dtypeOf(data: unknown): DType {
  if (data instanceof Float32Array || data instanceof Float64Array) return "f32";
  if (data instanceof Uint32Array) return "u32";
  if (ArrayBuffer.isView(data)) return "i32";
  let first = data;
  while (Array.isArray(first)) first = first[0];
  return typeof first === "boolean" ? "bool" : "f32";
}

/** @internal Copies 4-byte elements to the backend. */
export function fromTyped(array: Float32Array | Int32Array | Uint32Array, spec: Spec): Tensor {
  const storage = allocate(getBackend(), spec);
  getBackend().write(storage.buffer, new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
  return new Tensor(spec, storage);
}

/** A tensor of one value; f32 unless `dtype` says otherwise. */
export function full(shape: readonly number[], value: number, { dtype = "f32" }: Typed = {}): Tensor {
  return fromFormula("full", shape, num(value, dtype));
}

export function zeros(shape: readonly number[], options: Typed = {}): Tensor {
  return full(shape, 0, options);
}

export function ones(shape: readonly number[], options: Typed = {}): Tensor {
  return full(shape, 1, options);
}

/** Zeros of the same shape and dtype. */
export function zerosLike(x: Spec): Tensor {
  return zeros(x.shape, x);
}

/** Ones of the same shape and dtype. */
export function onesLike(x: Spec): Tensor {
  return ones(x.shape, x);
}

/**
 * `start, start + step, …` up to but without `stop`, as `torch.arange`. One argument: from 0. dtype: i32 if all are
 * whole numbers, else f32.
 */
export function arange(start: number, stop?: number, step = 1, options: Typed = {}): Tensor {
  const [from, to] = stop === undefined ? [0, start] : [start, stop];
  if (step === 0 || ![from, to, step].every(Number.isFinite))
    fail({ op: "arange", expected: "finite bounds and a step other than 0", got: `${from}, ${to}, ${step}` });
  const dtype = options.dtype ?? ([from, to, step].every(Number.isInteger) ? "i32" : "f32");
  const n = Math.max(0, Math.ceil((to - from) / step));
  return fromFormula("arange", [n], line(from, step, dtype));
}

/** `n` numbers from `start` to `stop`, both included; f32. */
export function linspace(start: number, stop: number, n: number): Tensor {
  return fromFormula("linspace", [n], line(start, n > 1 ? (stop - start) / (n - 1) : 0, "f32"));
}

function line(start: number, step: number, dtype: DType): Expr {
  const exact = dtype === "f32" ? dtype : "i32";
  return cast(call("add", num(start, exact), call("mul", cast(index(0), exact), num(step, exact))), dtype);
}

/** Ones on the diagonal; f32. */
export function eye(n: number, m = n): Tensor {
  return fromFormula("eye", [n, m], cast(call("eq", index(0), index(1)), "f32"));
}

function fromFormula(op: string, shape: readonly number[], expr: Expr): Tensor {
  checkShape(op, shape);
  return apply1(map, [], { expr, shape });
}
