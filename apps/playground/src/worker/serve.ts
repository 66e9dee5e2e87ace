// The worker's side of a page: sets the backend, lets @nn/train's trainer train, keeps checkpoints, and answers the page's questions
// between two steps.

import { type WasmKernel, wasm } from "@nn/backend-wasm";
import type { WgslKernel } from "@nn/backend-webgpu";
import { loadSafetensors, saveSafetensors } from "@nn/io";
import { countParameters, manualSeed, reference, setBackend } from "@nn/tensor";
import { type Callback, indexedDBStore, type Store, serveTrainer, type TrainerPlan } from "@nn/train";
import { Curve, type CurveData } from "../frame/curve.js";
import { MAKER } from "../frame/saved.js";
import { keepCheckpoints } from "./checkpoints.js";
import type { Answer, Hello, LaneOptions, Question, Warning } from "./protocol.js";

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
    const warn = (warning: string) => self.postMessage({ warning } satisfies Warning);
    const keeper = keepCheckpoints(store, lane, JSON.stringify(settings), warn);
    const curves = recordCurves();
    const { model } = plan;
    const parameters = countParameters(model);
    const resume = options.fresh ? null : await keeper.read();
    const ready: Callback = {
      start(run) {
        found({
          hello: (): Hello => ({
            backend,
            parameters,
            resumed: resume !== null,
            step: run.history.steps,
            curves: curves.data(),
          }),
          save: () => keeper.save(run),
          load(bytes: Uint8Array) {
            model.loadStateDict(loadSafetensors(bytes));
          },
          file: (maker: string) => saveSafetensors(model.stateDict(), { metadata: { [MAKER]: maker } }),
          ...own,
        });
      },
    };
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
