// Modules made of modules.

import { fail, Module, scope, show, type Tensor } from "@nn/tensor";

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
 * Modules by name whose parameters count, with nothing to run of its own, as
 * [torch.nn.ModuleDict](https://pytorch.org/docs/stable/generated/torch.nn.ModuleDict.html). State keys begin with the
 * name.
 *
 * @example
 * ```ts
 * const heads = new ModuleDict({ boxes: new Linear(64, 4), classes: new Linear(64, 20) });
 * heads.get("boxes").forward(x);
 * ```
 */
export class ModuleDict<M extends Readonly<Record<string, Module>> = Record<string, Module>> extends Module {
  readonly modules: M;

  /** @throws if one of them is not a Module */
  constructor(modules: M) {
    super();
    checkModules("ModuleDict", Object.values(modules));
    this.modules = { ...modules };
  }

  /** The module of a name. */
  get<K extends keyof M>(name: K): M[K] {
    return this.modules[name];
  }

  protected override entries(): Iterable<readonly [string, unknown]> {
    return Object.entries(this.modules);
  }

  /** @throws always: names do not say in which order their modules run */
  override forward(): never {
    return fail({
      op: "ModuleDict.forward",
      expected: "a call of one of its modules",
      got: "a call of all",
      hint: 'Call modules.get("name").forward(x).',
    });
  }

  [Symbol.iterator](): Iterator<readonly [string, Module]> {
    return Object.entries(this.modules)[Symbol.iterator]();
  }
}

/**
 * A chain with a way past it (He et al., 2016): `shortcut(x) + layers(x)`. State keys begin with the position of the
 * layer, or with `shortcut`.
 *
 * @example
 * ```ts
 * new Residual([new Linear(16, 16), new ReLU(), new Linear(16, 16)]);
 * new Residual([new Conv2d(8, 16, 3, { padding: 1 }), new ReLU()], { shortcut: new Conv2d(8, 16, 1) });
 * ```
 */
export class Residual extends Module {
  readonly layers: readonly Layer[];
  readonly shortcut: Layer | null;

  /**
   * @param layers what is added to the input, one after the other
   * @param options.shortcut brings the input to the output's shape (default: none, they are equal)
   * @throws if one of them is not a Module
   */
  constructor(layers: readonly Layer[], { shortcut = null }: { readonly shortcut?: Layer | null } = {}) {
    super();
    this.layers = checkModules("Residual", layers);
    this.shortcut = shortcut;
  }

  protected override entries(): Iterable<readonly [string, unknown]> {
    return [...this.layers.map((layer, i) => [`${i}`, layer] as const), ["shortcut", this.shortcut]];
  }

  /** @throws if the shapes of both ways differ */
  override forward(x: Tensor): Tensor {
    return scope(() => {
      const past = this.shortcut ? this.shortcut.forward(x) : x;
      const y = this.layers.reduce((h, layer) => layer.forward(h), x);
      if (show(past.shape) !== show(y.shape)) {
        fail({
          op: "residual",
          expected: `layers that give the shape of the way past them, ${show(past.shape)}`,
          got: show(y.shape),
          hint: "Pass a shortcut, such as a convolution with a kernel of 1.",
        });
      }
      return past.add(y);
    });
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
      hint: "Sequential(a, b) takes modules one by one, ModuleList([a, b]) and Residual([a, b]) an array; for a function there is a module: new ReLU().",
    });
  }
  return [...modules];
}
