// A cell is a scan over one step.

import { fail, show, type Tensor, type Variable } from "@nn/tensor";
import type { ScanAttrs } from "./sequence.js";

interface CellParameters {
  readonly weight_ih: Variable;
  readonly weight_hh: Variable;
  readonly bias_ih: Variable | null;
  readonly bias_hh: Variable | null;
}

export function checkCell(op: string, x: Tensor, inputSize: number): void {
  if ((x.rank === 1 || x.rank === 2) && x.shape.at(-1) === inputSize) return;
  fail({ op, expected: `x (N, ${inputSize}) or (${inputSize})`, got: show(x.shape) });
}

/** The states after one step; x (N, I) or (I). */
export function runCell(
  { weight_ih, weight_hh, bias_ih, bias_hh }: CellParameters, x: Tensor, states: readonly Tensor[],
  scan: (inputs: readonly Tensor[], attrs: ScanAttrs) => readonly Tensor[],
): readonly Tensor[] {
  const batched = x.rank === 2;
  const rows = (t: Tensor) => (batched ? t : t.unsqueeze(0));
  const biases = bias_ih && bias_hh ? [bias_ih.value, bias_hh.value] : [];
  const inputs = [rows(x).unsqueeze(0), ...states.map(rows), weight_ih.value, weight_hh.value, ...biases];
  const [, ...next] = scan(inputs, { bias: bias_ih !== null, reverse: false, lengths: false });
  return batched ? next : next.map((t) => t.squeeze(0));
}
