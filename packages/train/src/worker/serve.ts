// The worker's side: trains for a page, tells it what happens, and does what it is told. The page's side is train-in.ts.

import { saveSafetensors } from "@nn/io";
import { fail, type Module } from "@nn/tensor";
import { fit, type Training } from "../fit/fit.js";
import type { FitOptions } from "../fit/options.js";
import { type Command, portToPage, type Report, textOf, type WorkerPort } from "./messages.js";

/** What {@link fit} is to be called with. */
export interface TrainerPlan extends FitOptions {
  readonly model: Module;
}

/**
 * Makes a file that of a worker which trains for a page: see {@link trainIn}. Works in module workers of browsers and in worker threads of Node.
 *
 * @param setUp gets what the page gave to `trainIn`, as structured cloning copies it, and how many workers died before this one; comes back with the
 *   model and the options of {@link fit}. Sets the backend before all.
 * @example
 * ```ts
 * // trainer.js
 * serveTrainer(async ({ epochs, lr }) => {
 *   setBackend(await wasm({ kernels: convKernels }));
 *   manualSeed(1);
 *   const model = new LeNet5();
 *   const store = opfsStore("runs/digits");
 *   return {
 *     model,
 *     loss: crossEntropy,
 *     optimizer: new Adam(model.parameters(), { lr }),
 *     data: loader(await digits(), { shuffle: true }),
 *     epochs,
 *     callbacks: [saveLast(store, { everySteps: 100 })],
 *     resume: await loadCheckpoint(store, "last"),
 *   };
 * });
 * ```
 */
export function serveTrainer<Options = any>(
  setUp: (options: Options, crashes: number) => TrainerPlan | Promise<TrainerPlan>,
): void {
  void portToPage().then((port) => serve(port, setUp as (options: unknown, crashes: number) => Promise<TrainerPlan>));
}

function serve(port: WorkerPort, setUp: (options: unknown, crashes: number) => Promise<TrainerPlan>): void {
  const tell = (report: Report) => port.postMessage({ trainer: report });
  const failed = (reason: unknown) => tell({ type: "error", error: textOf(reason) });
  const early: Command[] = []; // told before there is a run
  let run: Training | null = null;

  const obey = (command: Command): void => {
    if (command.type === "start") void work(command.options, command.crashes).catch(failed);
    else if (command.type === "ping") tell({ type: "alive" });
    else if (!run) early.push(command);
    else if (command.type === "pause") run.pause();
    else if (command.type === "resume") run.resume();
    else if (command.type === "step") run.step(command.count);
    else if (command.type === "stop") run.stop(command.reason);
    else weightsOf(run.model).then((bytes) => tell({ type: "weights", bytes }), failed);
  };

  const work = async (options: unknown, crashes: number) => {
    const { model, ...plan } = await setUp(options, crashes);
    if (!model?.namedVariables) {
      fail({
        op: "serveTrainer",
        expected: "{ model, loss, optimizer, data, … } from its function",
        got: "no model",
        hint: "Give back what fit is to be called with, not a run: it is begun for you.",
      });
    }
    run = fit(model, plan);
    for (const command of early) obey(command);
    for await (const event of run) tell({ type: "event", event });
    tell({ type: "end", history: run.history, weights: await weightsOf(model) });
  };

  port.onmessage = ({ data }) => data?.trainer && obey(data.trainer);
  tell({ type: "ready" });
}

/** A safetensors file of the model as it is now. */
async function weightsOf(model: Module): Promise<Uint8Array> {
  const state = model.stateDict();
  try {
    return await saveSafetensors(state);
  } finally {
    for (const t of Object.values(state)) t.dispose();
  }
}
