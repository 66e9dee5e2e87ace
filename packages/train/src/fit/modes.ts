// The modes of modules, training or evaluation: switched for a while, and put back.

import type { Module } from "@nn/tensor";

/** Remembers the mode of a model and of every module in it; what comes back restores them. */
export function rememberModes(model: Module): () => void {
  const modes = [...model.namedModules().values()].map((m) => [m, m.training] as const);
  return () => {
    for (const [m, mode] of modes) m.training = mode;
  };
}
