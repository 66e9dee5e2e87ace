// summary: what a model is made of, layer by layer, and what it costs. Data first; toString() is the table.

import { type DType, fail, isFrozen, type Module, sizeOf, Tensor, type Variable } from "@nn/tensor";
import { call, inEvaluation, observe } from "./observe.js";
import { onShapes } from "./symbolic.js";

/** One module of a {@link Summary}. Its numbers do not include those of the modules in it, so they add up. */
export interface SummaryRow {
  /** Path as in the state dict; `""` for the model. */
  readonly name: string;
  /** Name of its class. */
  readonly type: string;
  /** 0 for the model, 1 for what is in it, … */
  readonly depth: number;
  /** Shape of its (first) output, the last time it ran; null if it did not run. */
  readonly outputShape: readonly number[] | null;
  /** Trainable numbers; shared ones count where they appear first. */
  readonly parameters: number;
  /** Numbers of parameters that `freeze` took out of training. */
  readonly frozen: number;
  /** In all its runs. */
  readonly multiplyAdds: number;
  /** How often it ran. */
  readonly runs: number;
}

/** See {@link summary}. */
export interface Summary {
  /** The model and all modules in it, in the order of its fields. */
  readonly rows: readonly SummaryRow[];
  /** Trainable numbers. */
  readonly parameters: number;
  /** Numbers of parameters that are frozen. */
  readonly frozen: number;
  /** Numbers that are part of the state, but no parameters: running statistics. */
  readonly buffers: number;
  /** Multiplications with an addition, of matrix products, convolutions and recurrences. */
  readonly multiplyAdds: number;
  /** The table, for people. */
  toString(): string;
}

/** Options of {@link summary}. */
export interface SummaryOptions {
  /** Of the input (default `"f32"`; an Embedding wants `"i32"`). */
  readonly dtype?: DType;
}

/**
 * Layers, output shapes, parameters and multiply-adds of a model, as Keras' `summary` and
 * [torchinfo](https://github.com/TylerYep/torchinfo). The model runs once, in evaluation, on a shape instead of numbers:
 * that takes no memory and almost no time, and leaves its state, its mode and the random numbers as they are.
 *
 * Multiply-adds are counted from the ops that run, whatever calls them: the products into which matrix products,
 * convolutions and recurrences lower. Additions of biases, BatchNorm, activations and pooling are not among them.
 *
 * @param inputShape with the batch: (N, C, H, W)
 * @throws {@link NNError} naming the layer, if the shape does not fit
 * @example
 * ```ts
 * const { parameters, multiplyAdds } = summary(resnet18(), [1, 3, 224, 224]); // 11,689,512 and 1,814,073,344
 * console.log(`${summary(lenet5(), [1, 1, 28, 28])}`); // a table
 * ```
 */
export function summary(model: Module, inputShape: readonly number[], { dtype = "f32" }: SummaryOptions = {}): Summary {
  if (!inputShape.every((d) => Number.isInteger(d) && d >= 1)) {
    fail({
      op: "summary",
      expected: "inputShape of whole numbers ≥ 1, batch first",
      got: `(${inputShape.join(", ")})`,
    });
  }
  const modules = model.namedModules();
  const rows = new Map<Module, Row>();
  for (const [name, m] of modules) if (!rows.has(m)) rows.set(m, newRow(name, m, modules));

  let buffers = 0;
  const counted = new Set<Variable>();
  for (const [key, v] of model.namedVariables()) {
    if (counted.has(v)) continue;
    counted.add(v);
    const row = rows.get(modules.get(parentOf(key, modules))!)!;
    if (v.trainable) row.parameters += sizeOf(v.shape);
    else if (isFrozen(v)) row.frozen += sizeOf(v.shape);
    else buffers += sizeOf(v.shape);
  }

  const running: Row[] = [];
  const forward = () =>
    onShapes(
      { shape: inputShape, dtype },
      (x) => void call(model, x),
      (n) => void (running.at(-1)!.multiplyAdds += n),
    );
  const observer = {
    before: (_: string, m: Module) => void running.push(rows.get(m)!),
    after(_name: string, _module: Module, output: unknown) {
      const row = running.pop()!;
      row.runs++;
      row.outputShape = firstTensor(output)?.shape ?? null;
    },
  };
  inEvaluation(model, () => observe(model, observer, forward));

  const all = [...rows.values()];
  const total = (of: "parameters" | "frozen" | "multiplyAdds") => all.reduce((sum, row) => sum + row[of], 0);
  const sums = {
    parameters: total("parameters"),
    frozen: total("frozen"),
    buffers,
    multiplyAdds: total("multiplyAdds"),
  };
  return { rows: all, ...sums, toString: () => table(all, sums) };
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

type Row = { -readonly [K in keyof SummaryRow]: SummaryRow[K] };

function newRow(name: string, m: Module, modules: ReadonlyMap<string, Module>): Row {
  let depth = 0;
  for (let at = name; at !== ""; at = parentOf(at, modules)) depth++;
  return {
    name,
    type: m.constructor.name,
    depth,
    outputShape: null,
    parameters: 0,
    frozen: 0,
    multiplyAdds: 0,
    runs: 0,
  };
}

/** The path of the module that holds a Variable or module: not all prefixes are modules, as some are arrays. */
function parentOf(path: string, modules: ReadonlyMap<string, Module>): string {
  do path = path.slice(0, Math.max(0, path.lastIndexOf(".")));
  while (!modules.has(path));
  return path;
}

function firstTensor(result: unknown): Tensor | undefined {
  if (result instanceof Tensor) return result;
  if (result === null || typeof result !== "object") return undefined;
  for (const part of Object.values(result)) {
    const found = firstTensor(part);
    if (found) return found;
  }
  return undefined;
}

function table(rows: readonly SummaryRow[], sums: Omit<Summary, "rows">): string {
  const number = (n: number) => (n === 0 ? "—" : n.toLocaleString("en-US"));
  const parametersOf = ({ parameters, frozen }: Pick<Row, "parameters" | "frozen">) =>
    frozen === 0 ? number(parameters) : `${parameters > 0 ? `${number(parameters)} + ` : ""}${number(frozen)} frozen`;
  const cells = [
    ["layer", "type", "output", "parameters", "multiply-adds"],
    ...rows.map((row) => [
      row.name || "(model)",
      row.type,
      row.outputShape ? `(${row.outputShape.join(", ")})` : "not run",
      parametersOf(row),
      number(row.multiplyAdds),
    ]),
    ["total", "", "", parametersOf(sums), number(sums.multiplyAdds)],
  ];
  const widths = cells[0]!.map((_, i) => Math.max(...cells.map((line) => line[i]!.length)));
  const lines = cells.map((line) =>
    line.map((cell, i) => (i < 3 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join("  "),
  );
  const rule = "─".repeat(lines[0]!.length);
  return [lines[0], rule, ...lines.slice(1, -1), rule, lines.at(-1), `buffers: ${number(sums.buffers)}`].join("\n");
}
