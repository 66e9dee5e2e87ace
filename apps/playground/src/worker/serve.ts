// The worker's side of a page: sets the backend, lets @nn/train's trainer train, keeps checkpoints, and answers the page's questions
// between two steps.

import { type WasmKernel, wasm } from "@nn/backend-wasm";
import type { WgslKernel } from "@nn/backend-webgpu";
import { loadSafetensors } from "@nn/io";
import { manualSeed, reference, setBackend } from "@nn/tensor";
import {
  type Callback,
  indexedDBStore,
  loadCheckpoint,
  type Store,
  saveCheckpoint,
  serveTrainer,
  type TrainerPlan,
  type Training,
} from "@nn/train";
import { Curve, type CurveData } from "../frame/curve.js";
import type { Answer, Hello, LaneOptions, Question } from "./protocol.js";

/** What a page trains, and the questions it answers. */
export interface Lab extends Omit<TrainerPlan, "epochs" | "resume"> {
  readonly answers?: Readonly<Record<string, (value: any) => unknown>>;
}

/** Kernels for the backends. */
export interface Kernels {
  readonly wasm: readonly WasmKernel[];
  webgpu(): Promise<readonly WgslKernel[]>;
}

/**
 * Makes a file that of a page's worker.
 *
 * @param kernels of the layers in use; those for WebGPU are loaded when they are wanted
 * @param setUp gets the settings, and the page's database for data that it keeps there
 */
export function serveLane<Settings>(
  kernels: Kernels,
  setUp: (settings: Settings, files: Store, lane: string) => Lab | Promise<Lab>,
): void {
  let found!: (answers: NonNullable<Lab["answers"]>) => void;
  const answers = new Promise<NonNullable<Lab["answers"]>>((resolve) => {
    found = resolve;
  });
  self.addEventListener("message", async ({ data }: MessageEvent<Partial<Question>>) => {
    if (!data?.ask) return;
    const { id, what, value } = data.ask;
    const answer = async () => (await answers)[what](value);
    const said: Answer["answer"] = await answer().then(
      (value) => ({ id, value }),
      (error) => ({ id, error: error instanceof Error ? error.message : `${error}` }),
    );
    self.postMessage({ answer: said } satisfies Answer);
  });

  serveTrainer<LaneOptions<Settings>>(async (options) => {
    const { settings, lane } = options;
    const backend = await chooseBackend(options, kernels);
    manualSeed(1);
    const store = indexedDBStore(options.database);
    const { answers: own, callbacks = [], ...plan } = await setUp(settings, store, lane);
    const keeper = keepCheckpoints(store, lane, JSON.stringify(settings));
    const curves = recordCurves();
    const { model } = plan;
    const parameters = model.parameters().reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
    const ready: Callback = {
      start(run) {
        found({
          hello: (): Hello => ({ backend, parameters, step: run.history.steps, curves: curves.data() }),
          save: () => keeper.save(run),
          load: (bytes: Uint8Array) => model.loadStateDict(loadSafetensors(bytes)),
          ...own,
        });
      },
    };
    const resume = options.fresh ? null : await keeper.read();
    return {
      ...plan,
      epochs: 1_000_000,
      callbacks: [...callbacks, curves.callback, keeper.callback, ready],
      resume,
    };
  });
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

async function chooseBackend({ backend, threads }: LaneOptions, kernels: Kernels): Promise<string> {
  if (backend === "webgpu") {
    const { webgpu } = await import("@nn/backend-webgpu");
    setBackend(await webgpu({ kernels: await kernels.webgpu() }));
    return "WebGPU";
  }
  if (backend === "wasm") {
    const made = await wasm({ threads, kernels: kernels.wasm });
    setBackend(made);
    return `WebAssembly, ${made.threads === 1 ? "1 thread" : `${made.threads} threads`}`;
  }
  setBackend(reference());
  return "plain JavaScript";
}

/**
 * The last state of one run, every two seconds and when asked. Its name in the store has its settings; under the lane's name stands
 * which it is, so that other settings begin anew, and what was before is removed.
 */
function keepCheckpoints(store: Store, lane: string, settings: string) {
  const own = `${lane} ${settings}`;
  const current = async () => new TextDecoder().decode((await store.read(lane)) ?? new Uint8Array());
  let previous: string | null = null;
  let last = performance.now();
  const save = async (run: Training) => {
    previous ??= await current();
    const checkpoint = run.checkpoint();
    await saveCheckpoint(store, own, checkpoint);
    if (previous !== own) {
      await store.write(lane, new TextEncoder().encode(own));
      if (previous) await store.remove(previous);
      previous = own;
    }
    for (const t of Object.values(checkpoint.tensors)) t.dispose();
    last = performance.now();
  };
  const callback: Callback = {
    order: 2, // what others keep is part of it
    step: (_, run) => (performance.now() - last > 2000 ? save(run) : undefined),
  };
  return { callback, save, read: async () => ((await current()) === own ? loadCheckpoint(store, own) : null) };
}

/** Loss by step and figures by epoch, kept in checkpoints: a page that is loaded again has its charts again. */
function recordCurves() {
  let curves: Record<string, Curve> = {};
  const add = (name: string, x: number, y: unknown) => {
    if (typeof y === "number") (curves[name] ??= new Curve()).add(x, y);
  };
  const data = () => Object.fromEntries(Object.entries(curves).map(([name, curve]) => [name, curve.toJSON()]));
  const callback: Callback = {
    order: -1,
    step: ({ step, loss }) => add("loss", step, loss),
    epoch({ step, logs }) {
      for (const [name, value] of Object.entries(logs)) if (name !== "loss") add(name, step, value);
    },
    save: () => ({ json: data() }),
    load({ json }) {
      const kept = Object.entries(json as Record<string, CurveData>);
      curves = Object.fromEntries(kept.map(([name, curve]) => [name, Curve.from(curve)]));
    },
  };
  return { callback, data };
}
