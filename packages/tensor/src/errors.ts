// The one error class of the project, and how an error finds the module it happened in.
// An error says: which op, in which layer, what was expected, what came, and what to do.

/** What went wrong, in the words of the op that noticed. */
export interface Failure {
  /** Name of the op, e.g. `"matmul"` or `"conv/conv"`. */
  readonly op: string;
  /** What the op wanted, with named dimensions. */
  readonly expected: string;
  /** What it was given. */
  readonly got: string;
  /** What the user can do about it. */
  readonly hint?: string;
}

/**
 * Every error that @nn throws on bad input.
 *
 * @example
 * ```ts
 * try { matmul(zeros([2, 3]), zeros([4, 5])); }
 * catch (e) { if (e instanceof NNError) console.log(e.op, e.expected, e.got, e.hint); }
 * ```
 */
export class NNError extends Error {
  declare readonly op: string;
  declare readonly expected: string;
  declare readonly got: string;
  declare readonly hint: string | undefined;
  /** Path and class of the module whose `forward` was running, e.g. `Conv2d "features.conv2"`. */
  declare readonly module: string | undefined;

  constructor(failure: Failure) {
    const module = modulePath();
    // `Linear "fc1": expected …`, but `Net "block": matmul: expected …`.
    const known = module?.toLowerCase().startsWith(failure.op.split("/").at(-1)!.toLowerCase());
    const where = module === undefined ? failure.op : known ? module : `${module}: ${failure.op}`;
    super(`${where}: expected ${failure.expected}, got ${failure.got}.${failure.hint ? ` ${failure.hint}` : ""}`);
    Object.assign(this, failure, { name: "NNError", module });
  }
}

/** Throws an {@link NNError}. */
export function fail(failure: Failure): never {
  throw new NNError(failure);
}

/** `(2, 3)`: how shapes are written in messages. */
export function show(shape: readonly number[]): string {
  return `(${shape.join(", ")})`;
}

// ── which module is running ────────────────────────────────────────────────────────────────────────

/** What this file needs to know of a Module: how it is called inside another. */
export interface Named {
  nameOf(child: unknown): string | undefined;
  readonly constructor: { readonly name: string };
}

/** Modules, each part of the one before. */
export type Modules = readonly Named[];

/** Those whose forward runs now, or, on the way back and when a step is compiled, ran for what is done now. */
export let modulesNow: Modules = [];

/** Runs `body` for modules whose forward ran before (omitted: for those that run now), so that errors can name them. */
export function insideModules<T>(modules: Modules | undefined, body: () => T): T {
  const before = modulesNow;
  modulesNow = modules ?? before;
  try {
    return body();
  } finally {
    modulesNow = before;
  }
}

/** Runs `body` as part of `module`'s forward. */
export function insideModule<T>(module: Named, body: () => T): T {
  return insideModules([...modulesNow, module], body);
}

/** The module that runs now, as an error names it; `undefined` outside of any forward. */
export function modulePath(): string | undefined {
  const last = modulesNow.at(-1);
  if (last === undefined) return undefined;
  const names = modulesNow.flatMap((m, i) => modulesNow[i - 1]?.nameOf(m) ?? []);
  return names.length === 0 ? last.constructor.name : `${last.constructor.name} "${names.join(".")}"`;
}
