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

const running: Named[] = [];

/** Runs `body` as part of `module`'s forward, so that errors can name it. */
export function insideModule<T>(module: Named, body: () => T): T {
  running.push(module);
  try {
    return body();
  } finally {
    running.pop();
  }
}

/** The module that runs now, as an error names it; `undefined` outside of any forward. */
export function modulePath(): string | undefined {
  const last = running[running.length - 1];
  if (last === undefined) return undefined;
  const names: string[] = [];
  for (let i = 1; i < running.length; i++) {
    const name = running[i - 1]!.nameOf(running[i]);
    if (name !== undefined) names.push(name);
  }
  return names.length === 0 ? last.constructor.name : `${last.constructor.name} "${names.join(".")}"`;
}
