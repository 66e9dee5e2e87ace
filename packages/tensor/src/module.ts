// Module: a named tree of Variables.

import { insideModule } from "./errors.js";
import { guarded } from "./guarded.js";
import { type LoadReport, readState, type StateDict, writeState } from "./state.js";
import type { Tensor } from "./tensor.js";
import { Variable } from "./variable.js";

/**
 * A layer or a model. Its fields that are Variables, Modules, or arrays of these are its parts, and their names make
 * the keys of its state: `conv1.weight`, as in PyTorch. See {@link registerForwardHook} for looking at it while it runs, and
 * {@link freeze} for leaving parts of it out of training.
 *
 * @example
 * ```ts
 * class Net extends Module {
 *   fc1 = new Linear(784, 32);
 *   fc2 = new Linear(32, 10);
 *   forward(x: Tensor) { return this.fc2.forward(this.fc1.forward(x).relu()); }
 * }
 * ```
 */
export abstract class Module {
  #training = true;

  constructor() {
    // So that errors name the layer they happened in.
    const { forward } = this;
    Object.defineProperty(this, "forward", {
      value: (...args: never[]) => insideModule(this, () => forward.apply(this, args)),
      configurable: true,
      writable: true,
    });
  }

  /** Whether dropout drops and BatchNorm uses the batch (default true): see {@link train} and {@link eval}. */
  get training(): boolean {
    return guarded(() => this.#training);
  }

  set training(on: boolean) {
    this.#training = on;
  }

  /** Computes the output. Call it directly: `model.forward(x)`. */
  abstract forward(...args: never[]): unknown;

  /** The parts and their names. Override it where the fields are not the parts. */
  protected entries(): Iterable<readonly [string, unknown]> {
    return Object.entries(this);
  }

  /** Switches this module and all in it to training. */
  train(mode = true): this {
    for (const m of this.namedModules().values()) m.training = mode;
    return this;
  }

  /** Switches this module and all in it to evaluation. */
  eval(): this {
    return this.train(false);
  }

  /** The trainable Variables, each once. */
  parameters(): Variable[] {
    return [...new Set(this.namedVariables().values())].filter((v) => v.trainable);
  }

  /** All Variables with their keys: parameters and buffers, in the order of the fields. */
  namedVariables(prefix = ""): Map<string, Variable> {
    const found = new Map<string, Variable>();
    for (const [name, part] of parts(this.entries())) {
      if (part instanceof Variable) found.set(prefix + name, part);
      else for (const [key, v] of part.namedVariables(`${prefix}${name}.`)) found.set(key, v);
    }
    return found;
  }

  /** This module (under `""`) and all in it, with their paths. */
  namedModules(prefix = ""): Map<string, Module> {
    const found = new Map<string, Module>([[prefix, this]]);
    for (const [name, part] of parts(this.entries())) {
      if (part instanceof Module)
        for (const [key, m] of part.namedModules(prefix === "" ? name : `${prefix}.${name}`)) found.set(key, m);
    }
    return found;
  }

  /** @internal The path of a module inside this one. */
  nameOf(child: unknown): string | undefined {
    for (const [name, m] of this.namedModules()) if (m === child && name !== "") return name;
    return undefined;
  }

  /** The values of all Variables, by PyTorch's keys and with PyTorch's shapes. */
  stateDict(): Record<string, Tensor> {
    return readState(this.namedVariables());
  }

  /**
   * Takes over values, for example from a PyTorch checkpoint. Nothing changes unless all of it fits.
   *
   * @param options.strict whether missing and unexpected keys are errors (default true)
   * @throws {@link NNError} naming every missing, unexpected or misshapen key
   */
  loadStateDict(state: StateDict, { strict = true }: { strict?: boolean } = {}): LoadReport {
    const { name } = this.constructor;
    const hint = "Build the module with the checkpoint's sizes, rename the keys, or pass { strict: false }.";
    return writeState({ name, kind: "module", hint }, this.namedVariables(), state, strict);
  }
}

/** Arrays are parts by their index, as PyTorch's ModuleList. */
function* parts(entries: Iterable<readonly [string, unknown]>): Generator<readonly [string, Variable | Module]> {
  for (const [name, part] of entries) {
    if (part instanceof Variable || part instanceof Module) yield [name, part];
    else if (Array.isArray(part)) yield* parts(part.map((p, i) => [`${name}.${i}`, p] as const));
  }
}
