// A golden case: what PyTorch was given, and what it answered.

/** A tensor of a case, as the files hold it. */
export interface GoldenTensor {
  readonly shape: readonly number[];
  readonly dtype: "f32" | "i32";
  readonly data: Float32Array | Int32Array;
  /** What torch's own float32 loses against float64, and the size of the values: only for expected tensors. */
  readonly f32Err: number;
  readonly scale: number;
}

export interface GoldenCase {
  readonly family: string;
  readonly id: string;
  /** PyTorch's name: `"Conv2d"`, `"logsumexp"`. */
  readonly op: string;
  /** PyTorch's arguments, in snake_case. */
  readonly args: Readonly<Record<string, unknown>>;
  /** Whether the module is in training; true where the case does not say. */
  readonly train: boolean;
  readonly note: string;
  /** By short name: `in.x`, `param.weight`, `out.y`, `gin.x`, …; in the order of the file. */
  readonly tensors: ReadonlyMap<string, GoldenTensor>;
  /** The case as the JSON has it: for the families with fields of their own. */
  readonly raw: Readonly<Record<string, unknown>>;
}

/** The tensors of a kind, by their names: `tensorsOf(c, "in")` of `in.x` has `x`. */
export function tensorsOf(c: GoldenCase, kind: string): Map<string, GoldenTensor> {
  const found = new Map<string, GoldenTensor>();
  for (const [name, t] of c.tensors) if (name.startsWith(`${kind}.`)) found.set(name.slice(kind.length + 1), t);
  return found;
}

/** Thrown for what our packages do not have yet; the message is the reason. */
export class NotBuilt extends Error {}

/**
 * The arguments of a case, each asked for by name. What nobody asked for is an argument our API does not have:
 * {@link done} then says so, so that no argument is ever silently ignored.
 */
export class Args {
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #left: Set<string>;

  constructor(values: Readonly<Record<string, unknown>>) {
    this.#values = values;
    this.#left = new Set(Object.keys(values));
    // Says how PyTorch computes, not what.
    for (const name of ["inplace", "device", "dtype"]) this.#left.delete(name);
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#values, name);
  }

  /** @throws if there is none and no default */
  get<T>(name: string, ...otherwise: [T?]): T {
    this.#left.delete(name);
    if (this.has(name)) return this.#values[name] as T;
    if (otherwise.length === 0) throw new Error(`the case has no argument "${name}"`);
    return otherwise[0] as T;
  }

  /** An argument of which our API has only some values (PyTorch's default first). */
  only<T>(name: string, ...allowed: readonly T[]): T {
    const value = this.get(name, allowed[0]) as T;
    if (!allowed.some((v) => JSON.stringify(v) === JSON.stringify(value)))
      throw new NotBuilt(`no ${name}=${JSON.stringify(value)}`);
    return value;
  }

  /** Options by our names, `{ padding_mode: "paddingMode" }`, of those that were given. */
  options(names: Readonly<Record<string, string>>): Record<string, never> {
    const given = Object.entries(names).filter(([theirs]) => this.has(theirs));
    return Object.fromEntries(given.map(([theirs, ours]) => [ours, this.get(theirs)])) as Record<string, never>;
  }

  /** @throws NotBuilt where an argument is left that nobody asked for */
  done(): void {
    if (this.#left.size > 0) throw new NotBuilt(`no argument ${[...this.#left].join(", ")}`);
  }
}
