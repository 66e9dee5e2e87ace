// A progress bar in the terminal, by cli-progress.

import cliProgress from "cli-progress";
import type { Callback, EpochEvent } from "../index.js";

/** Options of {@link progressBar}. */
export interface ProgressOptions {
  /** Where it is drawn (default: the standard error). Where that is no terminal, there is a line per epoch, and no bar. */
  readonly stream?: NodeJS.WriteStream;
}

/**
 * A bar for the epoch that runs, and a line for each that is over.
 *
 * @example
 * ```ts
 * await fit(model, { …, callbacks: [progressBar()] });
 * ```
 */
export function progressBar({ stream = process.stderr }: ProgressOptions = {}): Callback {
  let bar: cliProgress.SingleBar | null = null;
  const stop = () => {
    bar?.stop();
    bar = null;
  };
  return {
    step({ epoch, epochs, batch, batches, loss }) {
      if (!stream.isTTY) return;
      if (!bar) {
        const format = `epoch ${epoch}/${epochs} {bar} {value}/{total}  loss {loss}  {eta_formatted}`;
        bar = new cliProgress.SingleBar(
          { format, stream, clearOnComplete: true, hideCursor: true },
          cliProgress.Presets.shades_classic,
        );
        bar.start(batches ?? batch, 0, { loss: "" });
      }
      if (batches === undefined) bar.setTotal(batch);
      bar.update(batch, { loss: loss.toPrecision(4) });
    },
    epoch(event) {
      stop();
      stream.write(`${lineOf(event)}\n`);
    },
    close: stop,
  };
}

/** `epoch 3/10  loss 0.1234  valAccuracy 0.9700  1.2 s`. */
export function lineOf({ epoch, epochs, logs, seconds }: EpochEvent): string {
  const figures = Object.entries(logs).filter(([, value]) => typeof value === "number");
  const texts = figures.map(([name, value]) => `${name} ${(value as number).toPrecision(4)}`);
  return [`epoch ${epoch}/${epochs}`, ...texts, `${seconds.toFixed(1)} s`].join("  ");
}
