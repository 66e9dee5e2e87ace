// Gradients against finite differences.

import { readLater } from "./eager.js";
import { fail, show } from "./errors.js";
import { valueAndGrad } from "./grad.js";
import { fromTyped } from "./ops/creation.js";
import { mul } from "./ops/pointwise.js";
import { sum } from "./ops/reductions.js";
import { scope } from "./scope.js";
import type { Tensor } from "./tensor.js";
import { Variable } from "./variable.js";

export interface CheckGradientsOptions {
  /** Distance of the points a difference is taken from (default 0.01). Keep inputs further than 2 steps from kinks. */
  readonly step?: number;
  /** Greatest error allowed, relative to the greatest gradient of the input or 1 (default 0.002). */
  readonly tolerance?: number;
  /** At most so many elements of each input are tried, evenly spread (default 64). */
  readonly samples?: number;
}

/**
 * Compares the gradients of a function with finite differences: fourth order, of a random projection of the output
 * that is summed in double precision, so that f32 is enough.
 *
 * @param f of the tensors in `xs`; Variables among them are read where `f` uses them
 * @param xs f32 tensors (passed to `f`) and Variables (changed in place and restored)
 * @returns the greatest relative error found
 * @throws {@link NNError} naming the input and the element that disagree
 * @example
 * ```ts
 * await checkGradients((x) => x.tanh().square(), [randn([3, 4])]);
 * ```
 */
export async function checkGradients(
  f: (...xs: Tensor[]) => Tensor,
  xs: readonly (Tensor | Variable)[],
  { step = 0.01, tolerance = 2e-3, samples = 64 }: CheckGradientsOptions = {},
): Promise<{ maxError: number }> {
  const tensors = xs.filter((x): x is Tensor => !(x instanceof Variable));
  const first = f(...tensors);
  const weights = Float32Array.from({ length: first.size }, (_, i) => 0.5 + (((i + 1) * 0.6180339887) % 1));
  const cotangent = fromTyped(weights, first);
  const [, gradients] = valueAndGrad(() => sum(mul(f(...tensors), cotangent)), xs);

  const project = async (args: readonly Tensor[]): Promise<number> => {
    const y = scope(() => f(...args));
    const out = (await readLater(y)) as Float32Array;
    y.dispose();
    return out.reduce((total, v, i) => total + v * weights[i]!, 0);
  };

  let maxError = 0;
  for (const [k, x] of xs.entries()) {
    const start = x instanceof Variable ? x.value : x;
    const base = (await readLater(start)) as Float32Array;
    const got = (await readLater(gradients[k]!)) as Float32Array;
    const scale = got.reduce((m, v) => Math.max(m, Math.abs(v)), 1);
    const every = Math.max(1, Math.floor(base.length / samples));
    for (let i = 0; i < base.length; i += every) {
      const at = async (steps: number): Promise<number> => {
        const moved = base.slice();
        moved[i] = base[i]! + steps * step;
        const t = fromTyped(moved, x);
        if (x instanceof Variable) x.value = t;
        const value = await project(x instanceof Variable ? tensors : tensors.map((o) => (o === x ? t : o)));
        t.dispose();
        return value;
      };
      const want = (8 * ((await at(1)) - (await at(-1))) - ((await at(2)) - (await at(-2)))) / (12 * step);
      if (x instanceof Variable) x.value = start;
      const error = Math.abs(got[i]! - want) / scale;
      if (!(error <= tolerance)) {
        fail({
          op: "checkGradients",
          expected: `gradient ${want.toPrecision(6)} for input ${k} ${show(x.shape)}, element ${i}`,
          got: `${got[i]!.toPrecision(6)}`,
          hint: "Check the op's vjp, or move the input away from kinks.",
        });
      }
      maxError = Math.max(maxError, error);
    }
  }
  return { maxError };
}
