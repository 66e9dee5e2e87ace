// The step of training: forward, loss, gradients, update, in one function that compile makes a plan of.

import { clipGradNorm, clipGradValue, GradientAccumulator, type GradScaler, type Optimizer } from "@nn/optim";
import {
  type CompileOptions,
  compile,
  defaultGenerator,
  detectAnomalies,
  isFinite as finite,
  keep,
  type Module,
  NNError,
  scope,
  type Tensor,
  type Variable,
  valueAndGrad,
  where,
} from "@nn/tensor";
import { type Batch, mapTensors, type Tensors } from "../structure.js";
import { type Loss, lossOf, type Weighting } from "./loss.js";

/** How gradients are clipped: to this norm of all together, or as said. A function may do anything else. */
export type Clip =
  | number
  | { readonly norm: number }
  | { readonly value: number }
  | ((gradients: readonly Tensor[]) => readonly Tensor[]);

export interface StepOptions extends Weighting, CompileOptions {
  readonly model: Module;
  readonly optimizer: Optimizer<any>;
  readonly loss: Loss;
  readonly clip?: Clip;
  /** Scales the loss, and passes over steps whose gradients overflow. */
  readonly scaler?: GradScaler;
  /** Whether batches are added up, and {@link Step.update} makes the update. */
  readonly accumulate: boolean;
  /** Whether outputs are wanted, for metrics. */
  readonly outputs: boolean;
  /** Whether nothing is to change if there are NaNs or infinities in loss or gradients. */
  readonly guard: boolean;
  readonly compile: boolean;
}

/** What a step gives. */
export interface Stepped {
  readonly loss: Tensor;
  readonly output: Tensors | null;
  /** With a guard: whether all was finite. */
  readonly ok: Tensor | null;
}

export interface Step {
  run(batch: Batch): Stepped;
  /** Updates by the mean of what was added up. */
  update(): void;
  dispose(): void;
}

export function makeStep(options: StepOptions): Step {
  const { model, optimizer, loss, clip, scaler, accumulate, outputs, guard } = options;
  const accumulator = accumulate ? new GradientAccumulator(optimizer) : null;
  const clipped = clipper(clip);

  const run = (...batch: Batch): Stepped =>
    scope(() => {
      let output: Tensors | null = null;
      let sound: Tensor | null = null;
      let value: Tensor | null = null;
      const back = guard ? remember(model, optimizer) : null;
      const objective = () => {
        const out = model.forward(batch[0] as never) as Tensors;
        if (outputs) output = mapTensors(out, keep) as Tensors;
        value = lossOf("fit", loss, out, batch, options);
        // Gradients that overflow are the scaler's business; a loss that is not finite is not.
        if (guard && scaler) sound = keep(finite(value));
        return value;
      };
      const checked = (gradients: readonly Tensor[]) => {
        if (!guard) return gradients;
        // 0 if all is finite, else NaN.
        const zero = gradients.reduce((sum, g) => sum.add(g.mul(0).sum()), value!.mul(0));
        const ok = keep(finite(zero));
        sound = ok;
        return gradients.map((g) => where(ok, g, 0));
      };
      const transform = (gradients: readonly Tensor[]) => clipped(checked(gradients));
      if (accumulator) {
        const [now, gradients] = valueAndGrad(objective, optimizer.parameters);
        accumulator.add(checked(gradients));
        back?.(sound!);
        return { loss: now, output, ok: sound };
      }
      const now = scaler
        ? scaler.minimize(optimizer, objective, { transform: clipped })
        : optimizer.minimize(objective, { transform });
      back?.(sound!);
      return { loss: now, output, ok: sound };
    });
  const update = () => accumulator?.step({ transform: clipped });

  if (!options.compile) return { run: (batch) => run(...batch), update, dispose() {} };
  const [compiledRun, compiledUpdate] = [compile(run, options), compile(update)];
  return {
    run: (batch) => compiledRun(...batch),
    update: compiledUpdate,
    dispose() {
      compiledRun.dispose();
      compiledUpdate.dispose();
    },
  };
}

/**
 * Runs a batch again, op by op, to see where the first NaN comes from. The guard has left everything as it was before.
 *
 * @returns what the first op says that gave NaN; null if none did
 */
export function findNaN({ model, optimizer, loss, ...options }: StepOptions, batch: Batch): NNError | null {
  detectAnomalies(true);
  try {
    scope(() => {
      valueAndGrad(
        () => lossOf("fit", loss, model.forward(batch[0] as never) as Tensors, batch, options),
        optimizer.parameters,
      );
    });
    return null;
  } catch (e) {
    if (e instanceof NNError) return e;
    throw e;
  } finally {
    detectAnomalies(false);
  }
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

function clipper(clip: Clip | undefined): (gradients: readonly Tensor[]) => readonly Tensor[] {
  if (clip === undefined) return (g) => g;
  if (typeof clip === "function") return clip;
  if (typeof clip === "object" && "value" in clip) return (g) => clipGradValue(g, clip.value);
  const norm = typeof clip === "number" ? clip : clip.norm;
  return (g) => clipGradNorm(g, norm).gradients;
}

/** Remembers what a step changes of the model and the random numbers; what comes back undoes it where `ok` is false. */
function remember(model: Module, optimizer: Optimizer<any>): (ok: Tensor) => void {
  const variables = new Set<Variable>([
    ...model.namedVariables().values(),
    ...optimizer.parameters,
    defaultGenerator().state,
  ]);
  const before = [...variables].map((v) => [v, v.value] as const);
  return (ok) => {
    for (const [v, old] of before) v.value = where(ok, v.value, old);
  };
}
