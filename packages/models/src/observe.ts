// Looking at a model while it runs: what summary() and explain/ share. Afterwards the model is as it was.

import type { Module, Tensor } from "@nn/tensor";

/** Runs in the place of a module's forward; `run` is the forward it replaces. */
export type Around = (name: string, module: Module, run: () => unknown) => unknown;

/** Runs `body` with `around` about the forward of `model` and every module in it, each under its first path. */
export function observe<T>(model: Module, around: Around, body: () => T): T {
  const before = new Map<Module, Module["forward"]>();
  for (const [name, m] of model.namedModules()) {
    if (before.has(m)) continue;
    const { forward } = m;
    before.set(m, forward);
    m.forward = (...args) => around(name, m, () => forward(...args));
  }
  try {
    return body();
  } finally {
    for (const [m, forward] of before) m.forward = forward;
  }
}

/** Runs a model on one tensor. */
export function call(model: Module, x: Tensor): unknown {
  return (model.forward as (x: Tensor) => unknown)(x);
}

/** Runs `body` with a model in evaluation. */
export function inEvaluation<T>(model: Module, body: () => T): T {
  const before = new Map([...model.namedModules().values()].map((m) => [m, m.training]));
  model.eval();
  try {
    return body();
  } finally {
    for (const [m, training] of before) m.training = training;
  }
}
