// compile: a function of tensors becomes one plan per input signature, replayed without tracing, allocating or fusing again.

import { describe } from "../apply.js";
import type { Backend, Executable, Layout } from "../backend.js";
import { checkDevice, getBackend } from "../current.js";
import { eager } from "../eager.js";
import { fail } from "../errors.js";
import { activeInterpreter, hooksKey } from "../interpreter.js";
import { layoutKey } from "../layout.js";
import { allocate, release } from "../storage.js";
import { mapStructure } from "../structure.js";
import { Tensor } from "../tensor.js";
import type { Variable } from "../variable.js";
import { explain } from "./explain.js";
import type { Arranged } from "./layouts.js";
import { passes } from "./passes.js";
import { type Planned, planGraph } from "./plan.js";
import { releaseConstants, type Traced, traceFunction } from "./trace.js";

export interface CompileOptions {
  /** How many input signatures are kept ready; the least recently used goes first (default 16). */
  readonly maxTraces?: number;
}

/** What {@link compile} returns: the function, and what one can ask of it. */
export type Compiled<F extends (...args: never[]) => unknown> = F & {
  /** Traces and compiles for these arguments, without running; resolves when all is ready. */
  ready(...args: Parameters<F>): Promise<void>;
  /** Graph, kernels, layouts and bytes: for these arguments, or (without any) of the last call. */
  explain(...args: Parameters<F> | []): string;
  /** Frees what the traces hold. The function stays usable and traces anew. */
  dispose(): void;
};

/**
 * Compiles a function of tensors. The first call with a new signature (shapes and dtypes of the tensors, values of
 * all other arguments, `training` of the modules it asks) traces it; later calls replay the plan. Variables read and
 * written inside are inputs and outputs of the plan, updated in place. Numbers and tensors it closes over are
 * constants: what changes belongs into arguments or Variables. Inside another compiled function, a gradient or while
 * {@link detectAnomalies} is on, it simply runs.
 *
 * @param f takes tensors, numbers, strings, booleans, and arrays and plain objects of these; returns such
 * @example
 * ```ts
 * const step = compile((x: Tensor, y: Tensor) => optimizer.minimize(() => crossEntropy(model.forward(x), y)));
 * const loss = await step(x, y).item();
 * ```
 */
export function compile<F extends (...args: never[]) => unknown>(
  f: F,
  { maxTraces = 16 }: CompileOptions = {},
): Compiled<F> {
  const traces: Compilation[] = []; // the most recently used last

  const prepare = (args: readonly unknown[]) => {
    const tensors: Tensor[] = [];
    const key = signatureOf(args, tensors);
    for (const t of tensors) checkDevice("compile", t);
    const backend = getBackend();
    const at = traces.findIndex((c) => c.key === key && c.backend === backend && c.guards.every((holds) => holds()));
    const compilation =
      at >= 0
        ? traces.splice(at, 1)[0]!
        : new Compilation(f as unknown as (...args: unknown[]) => unknown, args, tensors, key, backend);
    traces.push(compilation);
    if (traces.length > Math.max(1, maxTraces)) traces.shift()!.dispose();
    return { tensors, compilation };
  };

  const compiled = (...args: unknown[]): unknown => {
    if (activeInterpreter() !== null || eager.inspect) return f(...(args as never[]));
    const { tensors, compilation } = prepare(args);
    return compilation.run(tensors);
  };

  return Object.assign(compiled, {
    ready: (...args: unknown[]) => prepare(args).compilation.executable.ready,
    explain(...args: unknown[]) {
      const which = args.length > 0 ? prepare(args).compilation : traces.at(-1);
      return which ? which.explain() : "Not traced yet: call it, or explain it with arguments.";
    },
    dispose() {
      for (const c of traces.splice(0)) c.dispose();
    },
  }) as unknown as Compiled<F>;
}

/** One signature's plan, bound to its Variables and constants. */
class Compilation {
  readonly guards: readonly (() => boolean)[];
  readonly executable: Executable;
  readonly #arranged: Arranged;
  readonly #planned: Planned;
  readonly #traced: Traced;
  readonly #structure: unknown;
  readonly #results: number;

  constructor(
    f: (...args: unknown[]) => unknown,
    args: readonly unknown[],
    tensors: readonly Tensor[],
    readonly key: string,
    readonly backend: Backend,
  ) {
    let structure: unknown;
    let results = 0;
    const traced = traceFunction((...symbols) => {
      const returned: Tensor[] = [];
      let next = 0;
      const symbolic = mapStructure(args, (v) => (v instanceof Tensor ? symbols[next++]! : v)) as unknown[];
      structure = mapStructure(f(...symbolic), (v) => (v instanceof Tensor ? new Index(returned.push(v) - 1) : v));
      results = returned.length;
      return returned;
    }, tensors);
    this.#structure = structure;
    this.#results = results;
    this.#traced = traced;
    this.guards = traced.guards;
    this.#arranged = passes(traced, backend);
    const { graph, sources, written } = this.#arranged;
    const donors = graph.outputs.map((_, i) =>
      i < results ? -1 : sources.findIndex((s) => s.kind === "variable" && s.variable === written[i - results]),
    );
    this.#planned = planGraph(graph, backend, donors);
    this.executable = backend.load(this.#planned.plan);
  }

  run(tensors: readonly Tensor[]): unknown {
    const { graph, sources, inputLayouts, written, writtenLayouts } = this.#arranged;
    const { donors } = this.#planned;
    const borrowed: Tensor[] = [];
    const plain = (t: Tensor): Tensor => {
      const whole = eager.contiguous(t);
      borrowed.push(whole);
      return whole;
    };
    const inputs = sources.map((source, i) => {
      const t =
        source.kind === "variable"
          ? heldAs(source.variable, inputLayouts[i]!, donors.includes(i))
          : plain(source.kind === "argument" ? tensors[source.argument]! : source.tensor);
      return t.storage.buffer;
    });
    const fresh = graph.outputs.map((v, i) => (donors[i]! >= 0 ? null : allocate(this.backend, graph.specs[v]!)));
    try {
      this.executable.run(
        inputs,
        fresh.map((storage, i) => storage?.buffer ?? inputs[donors[i]!]!),
      );
    } catch (e) {
      for (const storage of fresh) if (storage) release(storage);
      throw e;
    } finally {
      for (const t of borrowed) t.dispose();
    }
    const results = fresh
      .slice(0, this.#results)
      .map((storage, i) => new Tensor(graph.specs[graph.outputs[i]!]!, storage!));
    written.forEach((variable, i) => {
      const at = this.#results + i;
      if (fresh[at]) variable.hold(new Tensor(graph.specs[graph.outputs[at]!]!, fresh[at]!), writtenLayouts[i]!);
    });
    return mapStructure(this.#structure, (v) => (v instanceof Index ? results[v.at] : v));
  }

  explain(): string {
    return explain({ traced: this.#traced, arranged: this.#arranged, planned: this.#planned, backend: this.backend });
  }

  dispose(): void {
    this.executable.dispose();
    releaseConstants(this.#arranged.sources);
  }
}

/** The Variable's value in a layout; in a buffer of its own if it will be overwritten. */
export function heldAs(variable: Variable, layout: Layout | null, overwritten: boolean): Tensor {
  const { tensor, layout: now } = variable.held;
  checkDevice("compile", tensor);
  if (now !== layout && layoutKey(now) !== layoutKey(layout)) {
    const rows = now ? eager.unpack(tensor, now, variable) : tensor.alias();
    variable.hold(layout ? eager.pack(rows, layout) : rows, layout);
    if (layout) rows.dispose();
  }
  if (overwritten && variable.held.tensor.storage.refs > 1) variable.hold(eager.copy(variable.held.tensor), layout);
  return variable.held.tensor;
}

/** Placeholder of a tensor in a returned structure. */
class Index {
  constructor(readonly at: number) {}
}

/** What a trace depends on in its arguments; collects the tensors. */
function signatureOf(args: readonly unknown[], tensors: Tensor[]): string {
  const key = mapStructure(args, (v) => {
    if (v instanceof Tensor) {
      tensors.push(v);
      return `${v.dtype}(${v.shape})`;
    }
    const primitive = v !== Object(v) && typeof v !== "symbol";
    if (primitive) return `${typeof v} ${Object.is(v, -0) ? "-0" : v}`;
    return fail({
      op: "compile",
      expected: "arguments that are tensors, numbers, strings, booleans, or arrays and plain objects of these",
      got: describe(v),
      hint: "Close over modules and optimizers instead.",
    });
  });
  return JSON.stringify([hooksKey, key]);
}
