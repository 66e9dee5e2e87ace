// Functions as one writes them: typed locals, loops, and expressions that nest. A kernel reads like a loop; nobody
// sees a stack.
//
//   const f = m.function("scale", { x: I32, y: I32, n: I32 });
//   f.for(0, n, 4, (i) => f.store(i32.add(y, i), f32x4.mul(v128.load(i32.add(x, i)), two)));

import { type Bytes, F32, float, I32, signed, type Type, unsigned, V128 } from "./encode.js";

/** An expression: code that leaves one value of a type. Used twice, it is computed twice; put it in a local instead. */
export interface Value {
  readonly type: Type;
  readonly code: Bytes;
}

/** A local or parameter. */
export interface Local extends Value {
  readonly index: number;
}

/** Where an i32 is wanted, a number will do. */
export type Int = Value | number;

const asValue = (x: Int): Value => (typeof x === "number" ? i32.const(x) : x);

/** An instruction: its operands, then its opcode. */
const op =
  (type: Type, ...opcode: number[]) =>
  (...operands: Int[]): Value => ({ type, code: [...operands.flatMap((x) => asValue(x).code), ...opcode] });
const simd = (n: number, type: Type = V128) => op(type, 0xfd, ...unsigned(n));

/** Alignment exponent and offset of a memory access. */
const place = (align: number, offset: number) => [align, ...unsigned(offset)];
const load =
  (type: Type, align: number, ...opcode: number[]) =>
  (at: Int, offset = 0): Value => ({ type, code: [...asValue(at).code, ...opcode, ...place(align, offset)] });

export const i32 = {
  const: (n: number): Value => ({ type: I32, code: [0x41, ...signed(n)] }),
  load: load(I32, 2, 0x28),
  add: (a: Int, b: Int): Value => (b === 0 ? asValue(a) : op(I32, 0x6a)(a, b)),
  sub: op(I32, 0x6b),
  mul: (a: Int, b: Int): Value => (b === 1 ? asValue(a) : b === 0 ? i32.const(0) : op(I32, 0x6c)(a, b)),
  div_u: op(I32, 0x6e),
  rem_s: op(I32, 0x6f),
  rem_u: op(I32, 0x70),
  and: op(I32, 0x71),
  or: op(I32, 0x72),
  xor: op(I32, 0x73),
  shl: op(I32, 0x74),
  shr_s: op(I32, 0x75),
  shr_u: op(I32, 0x76),
  eqz: op(I32, 0x45),
  eq: op(I32, 0x46),
  ne: op(I32, 0x47),
  lt_s: op(I32, 0x48),
  lt_u: op(I32, 0x49),
  gt_u: op(I32, 0x4b),
  le_s: op(I32, 0x4c),
  ge_u: op(I32, 0x4f),
  /** `select(a, b, c)`: a if c is not 0, else b. */
  select: op(I32, 0x1b),
  min_u: (a: Int, b: Int): Value => i32.select(a, b, i32.lt_u(a, b)),
  atomicLoad: load(I32, 2, 0xfe, 0x10),
  /** Adds and gives the value before. */
  atomicAdd: (at: Int, x: Int, offset = 0): Value => ({
    type: I32,
    code: [...asValue(at).code, ...asValue(x).code, 0xfe, 0x1e, ...place(2, offset)],
  }),
} as const;

export const f32 = {
  const: (v: number): Value => ({ type: F32, code: [0x43, ...float(v)] }),
  load: load(F32, 2, 0x2a),
} as const;

/** A load of one lane into a vector. */
const loadLane =
  (n: number, align: number) =>
  (lane: number, at: Int, into: Value, offset = 0): Value => ({
    type: V128,
    code: [...asValue(at).code, ...into.code, 0xfd, ...unsigned(n), ...place(align, offset), lane],
  });

export const v128 = {
  load: load(V128, 2, 0xfd, 0),
  load32_splat: load(V128, 2, 0xfd, 9),
  load32_zero: load(V128, 2, 0xfd, 0x5c),
  load64_zero: load(V128, 2, 0xfd, 0x5d),
  load32_lane: loadLane(0x56, 2),
  /** Four 32-bit lanes, as numbers mod 2³². Slow in hot loops: see {@link Module.constant}. */
  const: (lanes: readonly number[]): Value => ({
    type: V128,
    code: [0xfd, 0x0c, ...new Uint8Array(Uint32Array.from(lanes).buffer)],
  }),
  not: simd(0x4d),
  and: simd(0x4e),
  /** `a & ~b`. */
  andnot: simd(0x4f),
  or: simd(0x50),
  xor: simd(0x51),
  /** Bits of a where the mask is 1, of b where it is 0. */
  bitselect: simd(0x52),
  any_true: simd(0x53, I32),
  /** Lanes by number: 0–3 of a, 4–7 of b. */
  shuffle32: (a: Value, b: Value, lanes: readonly number[]): Value => ({
    type: V128,
    code: [...a.code, ...b.code, 0xfd, 0x0d, ...lanes.flatMap((l) => [4 * l, 4 * l + 1, 4 * l + 2, 4 * l + 3])],
  }),
} as const;

export const i32x4 = {
  splat: simd(0x11),
  extract: (lane: number, x: Value): Value => ({ type: I32, code: [...x.code, 0xfd, 0x1b, lane] }),
  replace: (lane: number, x: Value, by: Value): Value => ({
    type: V128,
    code: [...x.code, ...by.code, 0xfd, 0x1c, lane],
  }),
  eq: simd(0x37),
  ne: simd(0x38),
  lt_s: simd(0x39),
  lt_u: simd(0x3a),
  gt_s: simd(0x3b),
  le_s: simd(0x3d),
  le_u: simd(0x3e),
  abs: simd(0xa0),
  neg: simd(0xa1),
  /** Shifts of all lanes by one i32. */
  shl: simd(0xab),
  shr_s: simd(0xac),
  shr_u: simd(0xad),
  add: simd(0xae),
  sub: simd(0xb1),
  mul: simd(0xb5),
  min_s: simd(0xb6),
  min_u: simd(0xb7),
  max_s: simd(0xb8),
  max_u: simd(0xb9),
  /** Truncating and saturating; NaN → 0. */
  trunc_f32_s: simd(0xf8),
  trunc_f32_u: simd(0xf9),
} as const;

export const f32x4 = {
  splat: simd(0x13),
  extract: (lane: number, x: Value): Value => ({ type: F32, code: [...x.code, 0xfd, 0x1f, lane] }),
  eq: simd(0x41),
  ne: simd(0x42),
  lt: simd(0x43),
  gt: simd(0x44),
  le: simd(0x45),
  ge: simd(0x46),
  ceil: simd(0x67),
  floor: simd(0x68),
  trunc: simd(0x69),
  nearest: simd(0x6a),
  abs: simd(0xe0),
  neg: simd(0xe1),
  sqrt: simd(0xe3),
  add: simd(0xe4),
  sub: simd(0xe5),
  mul: simd(0xe6),
  div: simd(0xe7),
  /** NaN if either is. */
  min: simd(0xe8),
  max: simd(0xe9),
  /** `b < a ? b : a`: one instruction; keeps a NaN in a. */
  pmin: simd(0xea),
  /** `a < b ? b : a`: one instruction; keeps a NaN in a. */
  pmax: simd(0xeb),
  from_s: simd(0xfa),
  from_u: simd(0xfb),
  /** The two low lanes of two doubles, zeros above. */
  demote: simd(0x5e),
} as const;

/** Two doubles: for range reductions that need more digits than f32 has. */
export const f64x2 = {
  splat32: (x: Value): Value => f64x2.promote(f32x4.splat(x)),
  promote: simd(0x5f),
  ne: simd(0x48),
  lt: simd(0x49),
  ge: simd(0x4c),
  trunc: simd(0x7a),
  nearest: simd(0x94),
  abs: simd(0xec),
  sqrt: simd(0xef),
  add: simd(0xf0),
  sub: simd(0xf1),
  mul: simd(0xf2),
  div: simd(0xf3),
  /** As those of {@link f32x4}. */
  pmin: simd(0xf6),
  pmax: simd(0xf7),
} as const;

const relaxed = { madd: simd(0x105), nmadd: simd(0x106) };

// ── functions ──────────────────────────────────────────────────────────────────────────────────────

/** What a module may use; the same kernel text serves all of them. */
export interface Features {
  /** Fused multiply-add (relaxed SIMD). */
  readonly relaxed: boolean;
  /** Shared memory and atomics. */
  readonly threads: boolean;
}

/** Where vector constants lie in memory: V8 builds a literal anew in every round of a loop, but a load is almost free. */
export interface ConstantPool {
  /** Address of 16 bytes with these 32-bit lanes; `undefined` if there is no room. */
  address(lanes: readonly number[]): number | undefined;
}

/** A function being written. Statements are added in order; blocks are callbacks. */
export class Func {
  readonly params: readonly Type[];
  readonly locals: Type[] = [];
  readonly code: number[] = [];

  constructor(
    readonly name: string,
    /** Index in the module; calls use it. */
    readonly index: number,
    params: readonly Type[],
    readonly results: readonly Type[],
    readonly features: Features,
    readonly constants: ConstantPool,
  ) {
    this.params = params;
  }

  /** The i-th parameter. */
  param(i: number): Local {
    return this.#local(i, this.params[i]!);
  }

  /** A new local, set to `init`. */
  let(init: Int): Local {
    const x = this.local(typeof init === "number" ? I32 : init.type);
    this.set(x, init);
    return x;
  }

  /** A new local; 0 at the start of the function. */
  local(type: Type): Local {
    return this.#local(this.params.length + this.locals.push(type) - 1, type);
  }

  set(x: Local, value: Int): void {
    this.#add(asValue(value).code, [0x21, ...unsigned(x.index)]);
  }

  /** `x += by`. */
  step(x: Local, by: Int): void {
    if (by !== 0) this.set(x, i32.add(x, by));
  }

  /** Stores a vector, or an i32 or f32. */
  store(at: Int, value: Value, offset = 0): void {
    const opcode = value.type === V128 ? [0xfd, 0x0b] : [value.type === F32 ? 0x38 : 0x36];
    this.#add(asValue(at).code, value.code, opcode, place(2, offset));
  }

  /** Stores one 32-bit lane of a vector. */
  storeLane(lane: number, at: Int, value: Value, offset = 0): void {
    this.#add(asValue(at).code, value.code, [0xfd, 0x5a, ...place(2, offset), lane]);
  }

  /** Stores one 64-bit half of a vector. */
  storeHalf(half: number, at: Int, value: Value, offset = 0): void {
    this.#add(asValue(at).code, value.code, [0xfd, 0x5b, ...place(2, offset), half]);
  }

  atomicStore(at: Int, value: Int, offset = 0): void {
    this.#add(asValue(at).code, asValue(value).code, [0xfe, 0x17, ...place(2, offset)]);
  }

  /** Sets `bytes` bytes to 0. */
  zero(at: Int, bytes: Int): void {
    this.#add(asValue(at).code, [0x41, 0], asValue(bytes).code, [0xfc, 0x0b, 0]);
  }

  /** Copies `bytes` bytes. */
  copy(to: Int, from: Int, bytes: Int): void {
    this.#add(asValue(to).code, asValue(from).code, asValue(bytes).code, [0xfc, 0x0a, 0, 0]);
  }

  /** Calls a function without result. `0` is the import `wait`. */
  call(callee: Func | 0, ...args: Int[]): void {
    for (const a of args) this.#add(asValue(a).code);
    this.#add([0x10, ...unsigned(callee === 0 ? 0 : callee.index)]);
  }

  if(condition: Value, then: () => void, otherwise?: () => void): void {
    this.#add(condition.code, [0x04, 0x40]);
    then();
    if (otherwise) {
      this.#add([0x05]);
      otherwise();
    }
    this.#add([0x0b]);
  }

  /** `for (i = from; i < to; i += by)`, unsigned. */
  for(from: Int, to: Int, by: number, body: (i: Local) => void): void {
    if (typeof from === "number" && typeof to === "number" && from >= to) return;
    const i = this.let(from);
    const limit = typeof to === "number" || "index" in to ? to : this.let(to);
    const loop = () =>
      this.doWhile(() => {
        body(i);
        this.step(i, by);
        return i32.lt_u(i, limit);
      });
    if (typeof from === "number" && typeof to === "number") loop();
    else this.if(i32.lt_u(i, limit), loop);
  }

  /** `body` `n` times; n ≥ 1. The cheapest loop: one counter that goes down. */
  repeat(n: Int, body: () => void): void {
    if (n === 1) {
      body();
      return;
    }
    const left = this.let(n);
    this.doWhile(() => {
      body();
      this.set(left, i32.sub(left, 1));
      return left;
    });
  }

  /** Runs `body` until the condition that it returns is 0. */
  doWhile(body: () => Value): void {
    this.#add([0x03, 0x40]);
    const again = body();
    this.#add(again.code, [0x0d, 0, 0x0b]);
  }

  /** A 32-bit float in all four lanes. */
  float(v: number): Value {
    return this.lanes(new Array<number>(4).fill(new Uint32Array(Float32Array.of(v).buffer)[0]!));
  }

  /** A 32-bit integer in all four lanes. */
  int(v: number): Value {
    return this.lanes(new Array<number>(4).fill(v >>> 0));
  }

  /** A vector constant of four 32-bit lanes: a load from the pool. */
  lanes(bits: readonly number[]): Value {
    const address = bits.some((b) => b !== 0) ? this.constants.address(bits) : undefined;
    return address === undefined ? v128.const(bits) : v128.load(0, address);
  }

  /** a·b + c, fused where the machine can. */
  fma(a: Value, b: Value, c: Value): Value {
    return this.features.relaxed ? relaxed.madd(a, b, c) : f32x4.add(f32x4.mul(a, b), c);
  }

  /** c − a·b, fused where the machine can. */
  fnma(a: Value, b: Value, c: Value): Value {
    return this.features.relaxed ? relaxed.nmadd(a, b, c) : f32x4.sub(c, f32x4.mul(a, b));
  }

  #local(index: number, type: Type): Local {
    return { index, type, code: [0x20, ...unsigned(index)] };
  }

  #add(...parts: Bytes[]): void {
    for (const part of parts) for (const b of part) this.code.push(b);
  }
}

/** A module being written: functions that call each other. */
export class Module {
  readonly functions: Func[] = [];

  constructor(
    readonly features: Features,
    readonly constants: ConstantPool,
  ) {}

  function(name: string, params: readonly Type[], results: readonly Type[] = []): Func {
    const f = new Func(name, this.functions.length + 1, params, results, this.features, this.constants);
    this.functions.push(f);
    return f;
  }
}
