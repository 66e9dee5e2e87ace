// What all metrics share: they add up batch by batch, and their state is plain data, so that a checkpoint can hold it.

import { fail, show, type Tensor } from "@nn/tensor";
import { isTensor } from "../structure.js";

/** Numbers that have been read: what metrics compute on. */
export interface Values {
  readonly data: ArrayLike<number>;
  readonly shape: readonly number[];
}

/** Numbers in nested arrays, all rows alike. */
export type Nested = number | readonly Nested[];

/** What metrics of tensors take. */
export type MetricInput = Tensor | Values | Nested;

/** What a metric can be. Only single numbers can be monitored. */
export type MetricValue = number | readonly number[] | readonly (readonly number[])[];

/** A metric: `reset`, `update` for every batch, `result` at the end. */
export interface Metric<Output = any, Target = any> {
  reset(): void;
  update(output: Output, target: Target): void | Promise<void>;
  /** NaN if there is nothing to tell from. */
  result(): MetricValue;
  /** Its state, as JSON can hold it. */
  stateDict(): unknown;
  loadStateDict(state: any): void;
}

/**
 * Base of the metrics of outputs and targets. To write one, say how its state begins ({@link start}), what a batch adds to
 * it ({@link add}) and what it comes to ({@link result}).
 */
export abstract class StreamingMetric<S> implements Metric<MetricInput, MetricInput> {
  #state: S | undefined;

  protected get state(): S {
    return (this.#state ??= this.start());
  }

  reset(): void {
    this.#state = undefined;
  }

  /** Adds a batch. Tensors are read; arrays are taken as they are. */
  async update(output: MetricInput, target: MetricInput): Promise<void> {
    this.add(await valuesOf(output), await valuesOf(target));
  }

  stateDict(): S {
    return structuredClone(this.state);
  }

  loadStateDict(state: S): void {
    this.#state = structuredClone(state);
  }

  abstract result(): MetricValue;
  /** The state before the first batch: plain data. */
  protected abstract start(): S;
  protected abstract add(output: Values, target: Values): void;

  protected get op(): string {
    return this.constructor.name;
  }
}

/** Reads what a metric was given. */
export async function valuesOf(input: MetricInput): Promise<Values> {
  if (isTensor(input)) return { data: (await input.read()) as ArrayLike<number>, shape: input.shape };
  if (typeof input === "object" && "data" in input) return input;
  const data: number[] = [];
  return { shape: flatten(input, data), data };
}

function flatten(input: Nested, data: number[]): number[] {
  if (typeof input === "number") {
    data.push(input);
    return [];
  }
  const shapes = input.map((part) => flatten(part, data));
  if (shapes.some((shape) => shape.join() !== shapes[0].join())) {
    fail({ op: "metric", expected: "rows of one length", got: shapes.map(show).join(", ") });
  }
  return [input.length, ...(shapes[0] ?? [])];
}

export function checkSame(op: string, output: Values, target: Values): void {
  if (output.shape.join() === target.shape.join()) return;
  fail({ op, expected: `a target of the output's shape ${show(output.shape)}`, got: show(target.shape) });
}

/** A list of zeros. */
export function zeros(n: number): number[] {
  return new Array<number>(n).fill(0);
}
