// Modules made of modules.

import { fail, Module, type Tensor } from "@nn/tensor";

/** What goes into a chain: a module from one tensor to one tensor. */
export type Layer = Module & { forward(x: Tensor): Tensor };

/**
 * Modules one after the other, as [torch.nn.Sequential](https://pytorch.org/docs/stable/generated/torch.nn.Sequential.html).
 * State keys begin with the position: `"0.weight"`.
 *
 * @example
 * ```ts
 * const model = new Sequential(new Linear(2, 16), new Tanh(), new Linear(16, 1));
 * model.forward(randn([5, 2])).shape; // [5, 1]
 * ```
 */
export class Sequential extends Module {
  readonly layers: readonly Layer[];

  /** @throws if one of them is not a Module */
  constructor(...layers: readonly Layer[]) {
    super();
    this.layers = checkModules("Sequential", layers);
  }

  protected override entries(): Iterable<readonly [string, unknown]> {
    return this.layers.map((layer, i) => [`${i}`, layer] as const);
  }

  override forward(x: Tensor): Tensor {
    return this.layers.reduce((y, layer) => layer.forward(y), x);
  }

  [Symbol.iterator](): Iterator<Layer> {
    return this.layers[Symbol.iterator]();
  }
}

/**
 * A list of modules whose parameters count, with nothing to run of its own, as
 * [torch.nn.ModuleList](https://pytorch.org/docs/stable/generated/torch.nn.ModuleList.html). State keys begin with the
 * position. A plain array in a field of a Module does the same.
 *
 * @example
 * ```ts
 * const blocks = new ModuleList([new Linear(4, 4), new Linear(4, 4)]);
 * for (const block of blocks) x = block.forward(x).relu();
 * ```
 */
export class ModuleList<M extends Module = Module> extends Module {
  readonly modules: readonly M[];

  /** @throws if one of them is not a Module */
  constructor(modules: readonly M[] = []) {
    super();
    this.modules = checkModules("ModuleList", modules);
  }

  /** Number of modules. */
  get length(): number {
    return this.modules.length;
  }

  /** The module at a position; a negative one counts from the end. */
  at(i: number): M | undefined {
    return this.modules.at(i);
  }

  protected override entries(): Iterable<readonly [string, unknown]> {
    return this.modules.map((m, i) => [`${i}`, m] as const);
  }

  /** @throws always: a list does not say in which order its modules run */
  override forward(): never {
    return fail({
      op: "ModuleList.forward",
      expected: "a call of one of its modules",
      got: "a call of the list",
      hint: "Loop over it, or use Sequential.",
    });
  }

  [Symbol.iterator](): Iterator<M> {
    return this.modules[Symbol.iterator]();
  }
}

/**
 * Gives its input back, as [torch.nn.Identity](https://pytorch.org/docs/stable/generated/torch.nn.Identity.html).
 *
 * @example
 * ```ts
 * const shortcut = stride === 1 ? new Identity() : new AvgPool2d(stride);
 * ```
 */
export class Identity extends Module {
  override forward(x: Tensor): Tensor {
    return x;
  }
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

function checkModules<M extends Module>(op: string, modules: readonly M[]): readonly M[] {
  for (const [i, m] of modules.entries()) {
    if (m instanceof Module) continue;
    const got = typeof m === "function" ? "a function" : Array.isArray(m) ? "an array" : String(m);
    fail({
      op,
      expected: "modules",
      got: `${got} at position ${i}`,
      hint: "Sequential(a, b) takes modules one by one, ModuleList([a, b]) an array; for a function there is a module: new ReLU().",
    });
  }
  return [...modules];
}
