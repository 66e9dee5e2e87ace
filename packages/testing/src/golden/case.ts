// A golden case: what PyTorch was asked, and what it said.

/** One tensor of a case. Expected ones say how exact torch's own float32 is, and how large the numbers are. */
export interface GoldenTensor {
  readonly shape: readonly number[];
  readonly dtype: "f32" | "i32";
  readonly data: Float32Array | Int32Array;
  readonly f32Err: number;
  readonly scale: number;
}

export interface GoldenCase {
  readonly family: string;
  readonly id: string;
  readonly op: string;
  /** PyTorch's arguments, by PyTorch's names. */
  // biome-ignore lint/suspicious/noExplicitAny: PyTorch's arguments are of all kinds
  readonly args: Readonly<Record<string, any>>;
  readonly train: boolean;
  readonly note: string;
  /** By short name: `in.x`, `param.weight`, `out.y`, … */
  readonly tensors: ReadonlyMap<string, GoldenTensor>;
  /** Everything in the JSON: some families have fields of their own. */
  // biome-ignore lint/suspicious/noExplicitAny: families have fields of their own
  readonly raw: Readonly<Record<string, any>>;
}

/** Thrown for a case that our API cannot run yet; the message is the reason. */
export class NotBuilt extends Error {}

/** The tensors whose names begin with `prefix.`, by what follows. */
export function tensorsOf(c: GoldenCase, prefix: string): Map<string, GoldenTensor> {
  const found = new Map<string, GoldenTensor>();
  for (const [name, t] of c.tensors) if (name.startsWith(`${prefix}.`)) found.set(name.slice(prefix.length + 1), t);
  return found;
}
