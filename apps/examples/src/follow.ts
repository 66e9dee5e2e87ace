/** A run of `fit` of @nn/train, shown in the terminal. */
import type { Training } from "@nn/train";
import type { Progress, Terminal } from "./terminal.js";

/** Trains to the end, with a bar and then the curve of the loss; returns the loss of every step. */
export async function follow(run: Training, terminal: Terminal): Promise<number[]> {
  const losses: number[] = [];
  let progress: Progress | null = null;
  for await (const event of run) {
    if (event.type !== "step") continue;
    progress ??= terminal.progress(event.epochs * (event.batches ?? 1));
    losses.push(event.loss);
    progress.step(event.loss);
  }
  terminal.close();
  terminal.chart(losses);
  return losses;
}
