// Functions as one writes them: typed locals, loops, and expressions that nest. A kernel reads like a loop; nobody
// sees a stack.
//
//   const f = m.function("scale", [I32, I32, I32]);
//   const [x, y, n] = f.params;
//   f.for(0, n, 4, (i) => f.store(elementAt(y, i), f32x4.mul(v128.load(elementAt(x, i)), two)));

import { type Bytes, I32, signed, type Type, unsigned, V128 } from "./encode.js";

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

/** Operands, then an opcode. */
const codeOf = (opcode: Bytes, ...operands: Int[]) => [...operands.flatMap((x) => asValue(x).code), ...opcode];

type Instruction = (...operands: Int[]) => Value;
const op =
  (type: Type, ...opcode: number[]): Instruction =>
  (...operands) => ({ type, code: codeOf(opcode, ...operands) });
const simd = (n: number, type: Type = V128) => op(type, 0xfd, ...unsigned(n));

type Words<S extends string> = S extends `${infer First} ${infer Rest}` ? First | Words<Rest> : S;

/** Instructions whose opcodes follow each other, by name. */
const series = <S extends string>(first: number, names: S, make = simd) =>
  Object.fromEntries(names.split(" ").map((name, i) => [name, make(first + i)])) as Record<Words<S>, Instruction>;

/** Alignment (to 4 bytes) and offset of a memory access. */
const place = (offset: number) => [2, ...unsigned(offset)];
const load =
  (type: Type, ...opcode: number[]) =>
  (at: Int, offset = 0): Value =>
    op(type, ...opcode, ...place(offset))(at);

const integer = {
  ...series(0x45, "eqz eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u", (n) => op(I32, n)),
  ...series(0x6a, "add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u", (n) => op(I32, n)),
};

export const i32 = {
  ...integer,
  const: (n: number): Value => ({ type: I32, code: [0x41, ...signed(n)] }),
  load: load(I32, 0x28),
  add: (a: Int, b: Int): Value => (b === 0 ? asValue(a) : integer.add(a, b)),
  mul: (a: Int, b: Int): Value => (b === 1 ? asValue(a) : b === 0 ? i32.const(0) : integer.mul(a, b)),
  /** `select(a, b, c)`: a if c is not 0, else b. */
  select: op(I32, 0x1b),
  min_u: (a: Int, b: Int): Value => i32.select(a, b, i32.lt_u(a, b)),
  atomicLoad: load(I32, 0xfe, 0x10),
  /** Adds and gives the value before. */
  atomicAdd: (at: Int, x: Int, offset = 0): Value => op(I32, 0xfe, 0x1e, ...place(offset))(at, x),
} as const;

/** The address of the i-th element along a stride; elements have 4 bytes. */
export const elementAt = (at: Int, i: Int, stride = 1): Value =>
  i32.add(at, stride === 0 ? 0 : typeof i === "number" ? 4 * i * stride : i32.mul(i, 4 * stride));

export const v128 = {
  load: load(V128, 0xfd, 0),
  load32_splat: load(V128, 0xfd, 9),
  load32_zero: load(V128, 0xfd, 0x5c),
  load64_zero: load(V128, 0xfd, 0x5d),
  load32_lane: (lane: number, at: Int, into: Value, offset = 0): Value =>
    op(V128, 0xfd, 0x56, ...place(offset), lane)(at, into),
  /** Four 32-bit lanes, as numbers mod 2³². Slow in hot loops: see {@link Func.lanes}. */
  const: (lanes: readonly number[]): Value => op(V128, 0xfd, 0x0c, ...new Uint8Array(Uint32Array.from(lanes).buffer))(),
  /** `andnot` is `a & ~b`; `bitselect` has bits of a where the mask is 1, of b where it is 0. */
  ...series(0x4d, "not and andnot or xor bitselect"),
  any_true: simd(0x53, I32),
  /** Lanes by number: 0–3 of a, 4–7 of b. */
  shuffle32: (a: Value, b: Value, lanes: readonly number[]): Value =>
    op(V128, 0xfd, 0x0d, ...lanes.flatMap((l) => [4 * l, 4 * l + 1, 4 * l + 2, 4 * l + 3]))(a, b),
} as const;

export const i32x4 = {
  splat: simd(0x11),
  extract: (lane: number, x: Value): Value => op(I32, 0xfd, 0x1b, lane)(x),
  replace: (lane: number, x: Value, by: Value): Value => op(V128, 0xfd, 0x1c, lane)(x, by),
  ...series(0x37, "eq ne lt_s lt_u gt_s gt_u le_s le_u"),
  ...series(0xa0, "abs neg"),
  /** Shifts are of all lanes by one i32. */
  ...series(0xab, "shl shr_s shr_u add"),
  sub: simd(0xb1),
  ...series(0xb5, "mul min_s min_u max_s max_u"),
  /** Truncating and saturating; NaN → 0. */
  ...series(0xf8, "trunc_f32_s trunc_f32_u"),
} as const;

export const f32x4 = {
  splat: simd(0x13),
  ...series(0x41, "eq ne lt gt le ge"),
  ...series(0x67, "ceil floor trunc nearest"),
  ...series(0xe0, "abs neg"),
  sqrt: simd(0xe3),
  /** `min` and `max` are NaN if either side is; `pmin` is `b < a ? b : a`, one instruction, and keeps a NaN in a. */
  ...series(0xe4, "add sub mul div min max pmin pmax"),
  ...series(0xfa, "from_s from_u"),
  /** The two low lanes of two doubles, zeros above. */
  demote: simd(0x5e),
} as const;

/** Two doubles: for range reductions that need more digits than f32 has. */
export const f64x2 = {
  promote: simd(0x5f),
  ...series(0x48, "ne lt gt le ge"),
  trunc: simd(0x7a),
  nearest: simd(0x94),
  abs: simd(0xec),
  sqrt: simd(0xef),
  ...series(0xf0, "add sub mul div min max pmin pmax"),
} as const;

const relaxed = series(0x105, "madd nmadd");

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
  readonly params: readonly Local[];
  readonly locals: Type[] = [];
  readonly code: number[] = [];

  constructor(
    readonly name: string,
    /** Index in the module; calls use it. */
    readonly index: number,
    params: readonly Type[],
    readonly module: Pick<Module, "features" | "constants">,
  ) {
    this.params = params.map((type, i) => this.#local(i, type));
  }

  /** The i-th parameter. */
  param(i: number): Local {
    return this.params[i]!;
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
    this.#add([0x21, ...unsigned(x.index)], value);
  }

  /** `x += by`. */
  step(x: Local, by: Int): void {
    if (by !== 0) this.set(x, i32.add(x, by));
  }

  /** Stores a vector or an i32. */
  store(at: Int, value: Int, offset = 0): void {
    const opcode = asValue(value).type === V128 ? [0xfd, 0x0b] : [0x36];
    this.#add([...opcode, ...place(offset)], at, value);
  }

  /** Stores one 32-bit lane of a vector. */
  storeLane(lane: number, at: Int, value: Value, offset = 0): void {
    this.#add([0xfd, 0x5a, ...place(offset), lane], at, value);
  }

  /** Stores one 64-bit half of a vector. */
  storeHalf(half: number, at: Int, value: Value, offset = 0): void {
    this.#add([0xfd, 0x5b, ...place(offset), half], at, value);
  }

  /** Sets `bytes` bytes to 0. */
  zero(at: Int, bytes: Int): void {
    this.#add([0xfc, 0x0b, 0], at, 0, bytes);
  }

  /** Calls a function without result. `0` is the import `wait`. */
  call(callee: Func | 0, ...args: Int[]): void {
    this.#add([0x10, ...unsigned(callee === 0 ? 0 : callee.index)], ...args);
  }

  if(condition: Value, then: () => void, otherwise?: () => void): void {
    this.#add([0x04, 0x40], condition);
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

  /** `body` `n` times, maybe never. */
  times(n: Int, body: () => void): void {
    if (typeof n !== "number") this.if(n, () => this.repeat(n, body));
    else if (n > 0) this.repeat(n, body);
  }

  /** Leaves the function. */
  return(): void {
    this.#add([0x0f]);
  }

  /** Runs `body` until the condition that it returns is 0. */
  doWhile(body: () => Value): void {
    this.#add([0x03, 0x40]);
    this.#add([0x0d, 0, 0x0b], body());
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
    const address = bits.some((b) => b !== 0) ? this.module.constants.address(bits) : undefined;
    return address === undefined ? v128.const(bits) : v128.load(0, address);
  }

  /** a·b + c, fused where the machine can. */
  fma(a: Value, b: Value, c: Value): Value {
    return this.module.features.relaxed ? relaxed.madd(a, b, c) : f32x4.add(f32x4.mul(a, b), c);
  }

  /** c − a·b, fused where the machine can. */
  fnma(a: Value, b: Value, c: Value): Value {
    return this.module.features.relaxed ? relaxed.nmadd(a, b, c) : f32x4.sub(c, f32x4.mul(a, b));
  }

  #local(index: number, type: Type): Local {
    return { index, type, code: [0x20, ...unsigned(index)] };
  }

  #add(opcode: Bytes, ...operands: Int[]): void {
    for (const byte of codeOf(opcode, ...operands)) this.code.push(byte);
  }
}

/** A module being written: functions that call each other. */
export class Module {
  readonly functions: Func[] = [];
  readonly #known = new Map<string, Func>();

  constructor(
    readonly features: Features,
    readonly constants: ConstantPool,
  ) {}

  function(name: string, params: readonly Type[]): Func {
    const f = new Func(name, this.functions.length + 1, params, this);
    this.functions.push(f);
    return f;
  }
  /** What `write` writes, but once for all that have the key. */
  once(key: string, write: () => Func): Func {
    let f = this.#known.get(key);
    if (!f) {
      f = write();
      this.#known.set(key, f);
    }
    return f;
  }
}
