// compile: a function of tensors becomes one plan per input signature, replayed without tracing, allocating or fusing again.

import { type Backend, bytesOf, type Executable, type Layout } from "../backend.js";
import { checkDevice, getBackend } from "../current.js";
import { eager } from "../eager.js";
import { fail } from "../errors.js";
import { activeInterpreter } from "../interpreter.js";
import { layoutKey } from "../layout.js";
import { allocate } from "../storage.js";
import { Tensor } from "../tensor.js";
import type { Variable } from "../variable.js";
import { explain } from "./explain.js";
import { fuse } from "./fuse.js";
import { type Arranged, arrange } from "./layouts.js";
import { lower, ownOutputs } from "./lower.js";
import { type Planned, planGraph } from "./plan.js";
import { removeDead, shareCommon } from "./simplify.js";
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
  const traces = new Map<string, Compilation[]>();
  let last: Compilation | null = null;

  const compilationFor = (args: readonly unknown[], tensors: readonly Tensor[], key: string): Compilation => {
    const backend = getBackend();
    const known = traces.get(key) ?? [];
    let found = known.find((c) => c.backend === backend && c.guards.every((holds) => holds()));
    if (!found) {
      found = new Compilation(f as unknown as (...args: unknown[]) => unknown, args, tensors, backend);
      known.push(found);
    }
    // Most recently used last.
    traces.delete(key);
    traces.set(key, known);
    const [oldestKey, oldest] = traces.entries().next().value!;
    if ([...traces.values()].reduce((n, list) => n + list.length, 0) > maxTraces && oldest[0] !== found) {
      oldest.shift()!.dispose();
      if (oldest.length === 0) traces.delete(oldestKey);
    }
    last = found;
    return found;
  };

  const prepare = (args: readonly unknown[]) => {
    const tensors: Tensor[] = [];
    const key = args.map((a) => signatureOf(a, tensors)).join("|");
    for (const t of tensors) checkDevice("compile", t);
    return { tensors, compilation: compilationFor(args, tensors, key) };
  };

  const compiled = (...args: unknown[]): unknown => {
    if (activeInterpreter() !== null || eager.inspect) return f(...(args as never[]));
    const { tensors, compilation } = prepare(args);
    return compilation.run(tensors);
  };

  return Object.assign(compiled, {
    ready: (...args: unknown[]) => prepare(args).compilation.executable.ready,
    explain(...args: unknown[]) {
      const which = args.length > 0 ? prepare(args).compilation : last;
      return which ? which.explain() : "Not traced yet: call it, or explain it with arguments.";
    },
    dispose() {
      for (const list of traces.values()) for (const c of list) c.dispose();
      traces.clear();
      last = null;
    },
  }) as unknown as Compiled<F>;
}

/** One signature's plan, bound to its Variables and constants. */
class Compilation {
  readonly backend: Backend;
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
    backend: Backend,
  ) {
    this.backend = backend;
    let structure: unknown;
    let results = 0;
    const traced = traceFunction((...symbols) => {
      const returned: Tensor[] = [];
      let next = 0;
      structure = replaceTensors(
        f(...args.map((a) => replaceTensors(a, () => symbols[next++]!))),
        (t) => returned.push(t) - 1,
      );
      results = returned.length;
      return returned;
    }, tensors);
    this.#structure = structure;
    this.#results = results;
    this.#traced = traced;
    this.guards = traced.guards;
    const lowered = lower(traced, backend);
    releaseConstants(traced.sources); // the lowered graph has taken hold of those it needs
    const owned = ownOutputs(shareCommon(removeDead(lowered.graph)));
    this.#arranged = arrange({ ...lowered, graph: fuse(owned, backend) }, backend);
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
    const fresh = graph.outputs.map((v, i) =>
      donors[i]! >= 0 ? null : allocate(this.backend, bytesOf(graph.specs[v]!)),
    );
    this.executable.run(
      inputs,
      fresh.map((storage, i) => storage?.buffer ?? inputs[donors[i]!]!),
    );
    const results = fresh
      .slice(0, this.#results)
      .map((storage, i) => new Tensor(graph.specs[graph.outputs[i]!]!, storage!));
    written.forEach((variable, i) => {
      const at = this.#results + i;
      if (fresh[at]) variable.hold(new Tensor(graph.specs[graph.outputs[at]!]!, fresh[at]!), writtenLayouts[i]!);
    });
    for (const t of borrowed) t.dispose();
    return replaceIndices(this.#structure, results);
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
function heldAs(variable: Variable, layout: Layout | null, overwritten: boolean): Tensor {
  const { tensor, layout: now } = variable.held;
  checkDevice("compile", tensor);
  if (layoutKey(now) !== layoutKey(layout)) {
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

function mapStructure(value: unknown, leaf: (v: unknown) => unknown): unknown {
  if (value instanceof Tensor || value instanceof Index) return leaf(value);
  if (Array.isArray(value)) return value.map((v) => mapStructure(v, leaf));
  if (value !== null && typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype) {
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, mapStructure(v, leaf)]));
  }
  return value;
}

function replaceTensors(value: unknown, by: (t: Tensor) => Tensor | number): unknown {
  return mapStructure(value, (t) => {
    const r = by(t as Tensor);
    return typeof r === "number" ? new Index(r) : r;
  });
}

function replaceIndices(value: unknown, by: readonly Tensor[]): unknown {
  return mapStructure(value, (v) => by[(v as Index).at]);
}

/** What a trace depends on in an argument; collects the tensors. */
function signatureOf(value: unknown, tensors: Tensor[]): string {
  if (value instanceof Tensor) {
    tensors.push(value);
    return `${value.dtype}(${value.shape})`;
  }
  if (value === null || value === undefined || typeof value === "boolean") return String(value);
  if (typeof value === "number") return Object.is(value, -0) ? "-0" : String(value);
  if (typeof value === "string") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((v) => signatureOf(v, tensors)).join(",")}]`;
  if (typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype) {
    return `{${Object.entries(value)
      .map(([k, v]) => `${k}:${signatureOf(v, tensors)}`)
      .join(",")}}`;
  }
  return fail({
    op: "compile",
    expected: "arguments that are tensors, numbers, strings, booleans, or arrays and plain objects of these",
    got: typeof value === "object" ? ((value as object).constructor?.name ?? "an object") : typeof value,
    hint: "Close over modules and optimizers instead of passing them.",
  });
}
