/** What the command line can start. */
import type { CommonOptions } from "./arguments.js";
import type { Terminal } from "./terminal.js";

export interface Example<O extends CommonOptions> {
  readonly help: string;
  /** @param folder what paths are relative to @throws UserError */
  parse(args: readonly string[], folder: string): O;
  /**
   * @param backend what computes, in words: "2 threads of wasm"
   * @returns what it reached, or the exit code
   */
  run(options: O, terminal: Terminal, backend: string): Promise<Outcome | number>;
}

/** What an example reached on data it was not trained on, and what it has to beat. */
export interface Outcome {
  /** What was measured: "% right". */
  readonly metric: string;
  readonly value: number;
  /** The same of an answer that needs no network, or a worse one. */
  readonly baseline: number;
  /** What that is: "guessing". */
  readonly against: string;
  /** Of errors. */
  readonly lowerIsBetter?: boolean;
}

export function beatsBaseline({ value, baseline, lowerIsBetter = false }: Outcome): boolean {
  return lowerIsBetter ? value < baseline : value > baseline;
}
