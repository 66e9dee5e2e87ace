// Modules made of modules.

import { Module, type Tensor } from "@nn/tensor";

/** What goes into a chain: a module from one tensor to one tensor. */
export type Layer = Module & { forward(x: Tensor): Tensor };

/**
 * Modules one after the other, as [torch.nn.Sequential](https://pytorch.org/docs/stable/generated/torch.nn.Sequential.html).
 * State keys begin with the position: `"0.weight"`.
 *
 * @example
 * ```ts
 * const model = new Sequential(new Linear(2, 16), new Tanh(), new Linear(16, 1));
 * ```
 */
export class Sequential extends Module {
  readonly layers: readonly Layer[];

  constructor(...layers: readonly Layer[]) {
    super();
    this.layers = layers;
  }

  protected override entries(): Iterable<readonly [string, unknown]> {
    return this.layers.map((layer, i) => [`${i}`, layer] as const);
  }

  override forward(x: Tensor): Tensor {
    return this.layers.reduce((y, layer) => layer.forward(y), x);
  }
}

/** A list of modules whose parameters count, with nothing to run of its own; state keys begin with the position. */
export class ModuleList<M extends Module = Module> extends Module {
  constructor(readonly modules: readonly M[]) {
    super();
  }

  protected override entries(): Iterable<readonly [string, unknown]> {
    return this.modules.map((m, i) => [`${i}`, m] as const);
  }

  override forward(): never {
    throw new Error("A ModuleList does not run: call its modules.");
  }

  [Symbol.iterator](): Iterator<M> {
    return this.modules[Symbol.iterator]();
  }
}

/** Merges the axes from `start` (default 1) to `end` (default the last) into one. */
export class Flatten extends Module {
  constructor(readonly start = 1, readonly end = -1) {
    super();
  }

  override forward(x: Tensor): Tensor {
    return x.flatten(this.start, this.end);
  }
}

/** Gives its input back. */
export class Identity extends Module {
  override forward(x: Tensor): Tensor {
    return x;
  }
}
