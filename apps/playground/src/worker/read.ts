// Numbers out of tensors that nobody needs any more.

import type { Module, Tensor } from "@nn/tensor";
import { predict } from "@nn/train";

export async function take(t: Tensor): Promise<Float32Array> {
  try {
    return (await t.read()) as Float32Array;
  } finally {
    t.dispose();
  }
}

/** Softmax over the last axis of what a network says to x, which is disposed of. */
export async function probabilities(model: Module, x: Tensor): Promise<Float32Array> {
  const logits = await predict(model, x);
  const out = await take(logits.softmax(-1));
  for (const t of [x, logits]) t.dispose();
  return out;
}
