// What training tells: an event per step and per epoch. Plain data, so that it can be sent to a page or written to a file.

import type { MetricValue } from "../metrics/metric.js";

/** An update was made. */
export interface StepEvent {
  readonly type: "step";
  /** Which epoch runs, from 1. */
  readonly epoch: number;
  readonly epochs: number;
  /** How many batches of it are done. */
  readonly batch: number;
  /** How many there are; undefined for streams. */
  readonly batches: number | undefined;
  /** Updates so far, over all epochs. */
  readonly step: number;
  /** Of this step, from before the update. */
  readonly loss: number;
  /** Learning rate of the first group, in this step. */
  readonly lr: number;
}

/** Figures of an epoch: `loss`, metrics by their names, and of the validation `valLoss`, `valAccuracy`, …. */
export type Logs = Readonly<Record<string, MetricValue>>;

/** An epoch is over. */
export interface EpochEvent {
  readonly type: "epoch";
  /** Which one, from 1. */
  readonly epoch: number;
  readonly epochs: number;
  /** Updates so far, over all epochs. */
  readonly step: number;
  readonly logs: Logs;
  /** Learning rate of the first group, in its last step. */
  readonly lr: number;
  /** How long it took, with the validation; without what was before a resumption. */
  readonly seconds: number;
}

export type TrainEvent = StepEvent | EpochEvent;

/** What has become of the epochs. */
export interface History {
  /** One entry per epoch. */
  readonly epochs: readonly Logs[];
  /** Updates made. */
  readonly steps: number;
  /** Why training stopped before its last epoch; null if it did not. */
  readonly stopped: string | null;
}

/** `valAccuracy` of `accuracy`. */
export function validationName(name: string): string {
  return `val${name.charAt(0).toUpperCase()}${name.slice(1)}`;
}
