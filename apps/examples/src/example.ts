/** What the command line can start. */
import type { CommonOptions } from "./arguments.js";
import type { Terminal } from "./terminal.js";

export interface Example<O extends CommonOptions> {
  readonly help: string;
  /** @param folder what paths are relative to @throws UserError */
  parse(args: readonly string[], folder: string): O;
  /**
   * @param backend what computes, in words: "2 threads of wasm"
   * @returns the exit code
   */
  run(options: O, terminal: Terminal, backend: string): Promise<number>;
}
