// What models take and give: tensors, in arrays and plain objects too; and batches of them.

import { slice, type Tensor } from "@nn/tensor";

/** A tensor, or several in arrays and plain objects. */
export type Tensors = Tensor | readonly Tensors[] | { readonly [name: string]: Tensors };

/**
 * Input x, target y and weights of the samples (N). The first axis of every tensor is the samples'. Whoever takes a batch
 * from a loader owns its tensors, and disposes of them.
 */
export type Batch = readonly [x: Tensors, y?: Tensors, weights?: Tensor];

/** The tensors in a structure. What is missing has none. */
export function tensorsIn(value: Tensors | Batch | undefined): Tensor[] {
  if (value === undefined) return [];
  if (isTensor(value)) return [value];
  return Object.values(value).flatMap((part) => tensorsIn(part as Tensors));
}

/** The same structure of other leaves. */
export function mapTensors(value: Tensors, leaf: (t: Tensor) => unknown): unknown {
  if (isTensor(value)) return leaf(value);
  if (Array.isArray(value)) return value.map((part) => mapTensors(part, leaf));
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, mapTensors(part, leaf)]));
}

/** Structures that are alike as one: each leaf is what `join` makes of theirs. */
export function joinTensors(parts: readonly Tensors[], join: (leaves: readonly Tensor[]) => Tensor): Tensors {
  const lists = parts.map(tensorsIn);
  let next = 0;
  return mapTensors(parts[0], () => {
    const i = next++;
    return join(lists.map((list) => list[i]));
  }) as Tensors;
}

export function dispose(value: Tensors | Batch | undefined): void {
  for (const t of tensorsIn(value)) t.dispose();
}

/** Another handle on the same numbers, which is disposed of by itself. */
export function alias(t: Tensor): Tensor {
  return slice(t, []);
}

/** How many samples a batch has. */
export function sizeOfBatch([x]: Batch): number {
  return tensorsIn(x)[0]?.shape[0] ?? 1;
}

export function isTensor(value: unknown): value is Tensor {
  return value !== null && typeof value === "object" && "dtype" in value && "dispose" in value;
}
