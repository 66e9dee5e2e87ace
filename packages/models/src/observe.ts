// Looking at a model while it runs: what summary() and explain/ share. Afterwards the model is as it was.

import { type HookHandle, type Module, registerForwardHook, registerForwardPreHook, type Tensor } from "@nn/tensor";

/** What is told of every module that runs, under its first path. */
export interface Observer {
  before?(name: string, module: Module): void;
  /** What it returns is the output instead, unless that is undefined. */
  after(name: string, module: Module, output: unknown): unknown;
}

/** Runs `body` with hooks on `model` and every module in it. */
export function observe<T>(model: Module, { before, after }: Observer, body: () => T): T {
  const handles: HookHandle[] = [];
  const seen = new Set<Module>();
  for (const [name, m] of model.namedModules()) {
    if (seen.has(m)) continue;
    seen.add(m);
    if (before) handles.push(registerForwardPreHook(m, () => before(name, m)));
    handles.push(registerForwardHook(m, (_module, _args, output) => after(name, m, output)));
  }
  try {
    return body();
  } finally {
    for (const handle of handles) handle.remove();
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
