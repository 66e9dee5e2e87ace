// What a page and its worker say to each other besides what @nn/train's trainer says: where and how to work, questions and answers.

export type BackendKind = "wasm" | "webgpu" | "reference";

/** What a worker is started with. */
export interface LaneOptions<Settings = any> {
  readonly backend: BackendKind;
  readonly threads: number;
  /** The database of the page, and the name of this run in it. */
  readonly database: string;
  readonly lane: string;
  /** Whether a checkpoint of the same settings is passed over. */
  readonly fresh: boolean;
  readonly settings: Settings;
}

/** What a worker is asked, and what it says. Errors come as text. */
export interface Question {
  readonly ask: { readonly id: number; readonly what: string; readonly value: unknown };
}
export interface Answer {
  readonly answer: { readonly id: number; readonly value?: unknown; readonly error?: string };
}

/** What is wrong with keeping checkpoints; "" when nothing is any more. */
export interface Warning {
  readonly warning: string;
}

/** The answer to "hello", when all is set up. */
export interface Hello {
  /** As people say it: "WebAssembly, 2 threads". */
  readonly backend: string;
  readonly parameters: number;
  /** Whether it goes on from a checkpoint, and the steps that were done. */
  readonly resumed: boolean;
  readonly step: number;
  /** Curves by name, of what was before. */
  readonly curves: Readonly<Record<string, import("../frame/curve.js").CurveData>>;
}
