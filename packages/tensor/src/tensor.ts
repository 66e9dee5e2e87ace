// Tensor: an immutable handle. Its methods are the ops, added in methods.ts; this file knows none of them.

import { fail, show } from "./errors.js";
import { born, gone } from "./scope.js";
import type { DType, Spec, View } from "./spec.js";
import { contiguousView, sizeOf } from "./spec.js";
import { release, retain, type Storage } from "./storage.js";

/** A value inside compile(): without data, known to its trace. */
export interface Symbol_ {
  readonly trace: object;
}

/**
 * An immutable n-dimensional array of one dtype. Made by the creation functions ({@link tensor}, {@link zeros}, …) and by ops.
 *
 * @example
 * ```ts
 * const x = tensor([[1, 2], [3, 4]]);
 * console.log(await x.matmul(x).toArray()); // [[7, 10], [15, 22]]
 * ```
 */
export class Tensor implements Spec {
  readonly shape: readonly number[];
  readonly dtype: DType;
  /** @internal */
  readonly symbol: Symbol_ | null;
  #held: Held | null;
  readonly #view: View | null;

  /** @internal Use the creation functions. Takes over the caller's hold on the storage. */
  constructor(spec: Spec, at: Storage | Symbol_, view?: View) {
    this.shape = spec.shape;
    this.dtype = spec.dtype;
    if ("trace" in at) {
      this.symbol = at;
      this.#held = null;
      this.#view = null;
    } else {
      this.symbol = null;
      this.#held = { storage: at, done: false };
      this.#view = view ?? contiguousView(spec);
      collected.register(this, this.#held, this);
      born(this);
    }
  }

  /** Number of elements. */
  get size(): number {
    return sizeOf(this.shape);
  }

  /** Number of axes. */
  get rank(): number {
    return this.shape.length;
  }

  /** Whether the memory has been given back. */
  get disposed(): boolean {
    return this.symbol === null && this.#held === null;
  }

  /** @internal Where the elements are. */
  get storage(): Storage {
    if (this.#held) return this.#held.storage;
    if (this.symbol) {
      return fail({
        op: "read",
        expected: "a tensor with data",
        got: `a tensor ${show(this.shape)} inside compile(), which has none while the function is traced`,
        hint: "Return it from the compiled function and read it there; decide with where() instead of if.",
      });
    }
    return fail({
      op: "use of a tensor",
      expected: "a live tensor",
      got: `a tensor ${show(this.shape)} that was freed`,
      hint: "It was disposed, or made inside scope(), minimize() or valueAndGrad(): return it from there, or call keep(tensor).",
    });
  }

  /** @internal */
  get view(): View {
    void this.storage; // throws if there is none
    return this.#view!;
  }

  /** @internal Another handle on the same elements, or on some of them. */
  alias(view: View = this.view): Tensor {
    return new Tensor({ shape: view.shape, dtype: view.dtype }, retain(this.storage), view);
  }

  /** Gives the memory back now. Optional: scopes and the garbage collector do it, too. Twice is fine. */
  dispose(): void {
    if (this.#held === null) return;
    collected.unregister(this);
    gone(this);
    letGo(this.#held);
    this.#held = null;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  toString(): string {
    return `Tensor ${show(this.shape)} ${this.dtype}${this.disposed ? " (freed)" : this.symbol ? " (traced)" : ""}`;
  }
}

interface Held {
  readonly storage: Storage;
  done: boolean;
}

function letGo(held: Held): void {
  if (held.done) return;
  held.done = true;
  release(held.storage);
}

/** The safety net for handles nobody disposed. */
const collected = new FinalizationRegistry<Held>(letGo);
