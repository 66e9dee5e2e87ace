// Stepper: a function that is run step by step for ever, compiled once and bound to fixed buffers. A step looks nothing up
// and makes nothing: what it needs of the step before lies in two buffers, which change places.

import { getBackend } from "../current.js";
import { eager } from "../eager.js";
import { fail, show } from "../errors.js";
import { withInterpreter } from "../interpreter.js";
import type { OpDef } from "../op.js";
import { matmulOp } from "../ops/linalg.js";
import { scope } from "../scope.js";
import { type Spec, sizeOf } from "../spec.js";
import { allocate, release, retain, type Storage } from "../storage.js";
import type { Tensor } from "../tensor.js";
import { untraced } from "../untraced.js";
import type { HeldValue } from "../variable.js";
import { heldAs } from "./compile.js";
import { explain } from "./explain.js";
import type { GraphNode } from "./graph.js";
import { passes } from "./passes.js";
import { planGraph } from "./plan.js";
import { releaseConstants, Trace, type Traced } from "./trace.js";

/**
 * How a stepped function keeps tensors from step to step.
 *
 * @param start makes their values before the first step; runs outside of the trace
 * @returns their values now, and what takes those of the next step
 */
export type Keep = (
  start: () => readonly Tensor[],
) => readonly [now: Tensor[], next: (after: readonly Tensor[]) => void];

/** What {@link stepper} returns. */
export interface Stepper {
  /** Shapes of a step. */
  readonly inputShape: readonly number[];
  readonly outputShape: readonly number[];
  /** Resolves when it can run: at once, but for large programs on a page's own thread. */
  readonly ready: Promise<void>;
  /** Graph, kernels and bytes. */
  explain(): string;
  /** One step: the values of the input to those of the output, in an array that the next step overwrites. */
  step(input: Float32Array): Float32Array;
  /** What is kept becomes what it was before the first step. */
  reset(): void;
  /** Gives the memory back. */
  dispose(): void;
}

/**
 * Compiles `f` for one step. It is traced with one and with two steps, so that it is known which products are made over all
 * steps: these have the same bits as in a whole sequence.
 *
 * @param f from x, f32, to the output, f32. It may read Variables, whose changes it sees, but write none; guards are ignored
 * @param spec of x with so many steps
 * @throws {@link NNError} where the backend's memory is not the host's own, and where f writes a Variable or gives no f32
 */
export function stepper(op: string, f: (x: Tensor, keep: Keep) => Tensor, spec: (steps: number) => Spec): Stepper {
  const backend = getBackend();
  const { readSync } = backend;
  if (!readSync) {
    return fail({
      op,
      expected: "a backend whose memory is the host's own",
      got: `"${backend.name}"`,
      hint: "Use wasm() or reference().",
    });
  }
  const { traced, starts, output } = traceSteps(op, f, spec);
  const arranged = passes(traced, backend);
  const { graph, sources, inputLayouts } = arranged;
  const planned = planGraph(graph, backend, []);
  const executable = backend.load(planned.plan);

  const input = spec(1);
  const [x, y] = [input, output].map((s) => allocate(backend, s)) as [Storage, Storage];
  /** What is kept: as the next step reads it, and as it writes it; then the other way round. */
  const kept = graph.outputs.slice(1).map((v) => [0, 1].map(() => allocate(backend, graph.specs[v]!)) as Pair);
  const constants = sources.map((s) => (s.kind === "constant" ? untraced(() => eager.contiguous(s.tensor)) : null));
  const stored = constants.map((t) => {
    const storage = t && retain(t.storage);
    t?.dispose();
    return storage;
  });
  const given = [0, 1].map((turn) =>
    sources.map((s, i) => {
      if (s.kind === "argument") return (s.argument === 0 ? x : kept[s.argument - 1]![turn]!).buffer;
      return stored[i]?.buffer ?? x.buffer; // a Variable's comes with the first step
    }),
  );
  const results = [0, 1].map((turn) => [y, ...kept.map((pair) => pair[1 - turn]!)].map((s) => s.buffer));
  const variables = sources.flatMap((s, at) =>
    s.kind === "variable"
      ? [{ at, variable: s.variable, layout: inputLayouts[at]!, held: null as HeldValue | null }]
      : [],
  );

  const values = new Float32Array(sizeOf(input.shape));
  const bytes = new Uint8Array(values.buffer);
  const out = new Float32Array(sizeOf(output.shape));
  const view = () => {
    const { buffer, byteOffset } = readSync(y.buffer);
    return new Float32Array(buffer, byteOffset, out.length);
  };
  let [result, turn, live] = [view(), 0, true];
  const checkLive = () => {
    if (!live) fail({ op, expected: "a live stream", got: "one that was disposed" });
  };
  const stepped: Stepper = {
    inputShape: input.shape,
    outputShape: output.shape,
    ready: executable.ready,
    explain: () => explain({ traced, arranged, planned, backend }),
    step(input) {
      checkLive();
      if (input.length !== values.length) {
        fail({ op, expected: `${values.length} numbers, ${show(stepped.inputShape)}`, got: `${input.length}` });
      }
      values.set(input);
      backend.write(x.buffer, bytes);
      for (let i = 0; i < variables.length; i++) {
        const v = variables[i]!;
        if (v.variable.held === v.held) continue;
        given[0]![v.at] = given[1]![v.at] = heldAs(v.variable, v.layout, false).storage.buffer;
        v.held = v.variable.held;
      }
      executable.run(given[turn]!, results[turn]!);
      turn = 1 - turn;
      if (result.length === 0) result = view(); // the memory has grown
      out.set(result);
      return out;
    },
    reset() {
      checkLive();
      const first = atOnce(() => starts.flatMap((start) => start()));
      first.forEach((t, i) => {
        const { buffer } = t.storage;
        backend.write(kept[i]![turn]!.buffer, readSync(buffer).subarray(0, buffer.bytes));
        t.dispose();
      });
    },
    dispose() {
      if (!live) return;
      live = false;
      executable.dispose();
      releaseConstants(sources);
      for (const s of [x, y, ...kept.flat(), ...stored]) if (s) release(s);
    },
  };
  stepped.reset();
  return stepped;
}

type Pair = [Storage, Storage];

/** Tensors as rows of their own, made outside of the trace. */
function atOnce(make: () => readonly Tensor[]): Tensor[] {
  return untraced(() => scope(() => make().map((t) => eager.copy(t))));
}

/** The trace of one step, in which products over all steps are in order. */
function traceSteps(op: string, f: (x: Tensor, keep: Keep) => Tensor, spec: (steps: number) => Spec) {
  const trace = (steps: number) => {
    const starts: (() => readonly Tensor[])[] = [];
    const after: Tensor[] = [];
    const to = new Trace();
    const keep: Keep = (start) => {
      starts.push(start);
      const from = after.length;
      const now = atOnce(start).map((t) => {
        const symbol = to.argument(t, after.length + 1);
        t.dispose();
        after.push(symbol);
        return symbol;
      });
      return [now, (list) => after.splice(from, now.length, ...list)];
    };
    const traced = withInterpreter(to, () => to.finish([f(to.argument(spec(steps), 0), keep), ...after]));
    return { traced, starts };
  };
  const [one, two] = [trace(1), trace(2)];
  releaseConstants(two.traced.sources);
  const { graph, written } = one.traced;
  const output = graph.specs[graph.outputs[0]!]!;
  const wrong = (expected: string, got: string, hint?: string) => {
    releaseConstants(one.traced.sources);
    fail({ op, expected, got, ...(hint ? { hint } : {}) });
  };
  if (written.length > 0) wrong("a model that changes no Variables", `one that changes ${written.length}`);
  if (output.dtype !== "f32") wrong("an output f32", `${show(output.shape)} ${output.dtype}`);
  const rowsOf = ({ graph }: Traced, node: GraphNode) => graph.specs[node.ins[0]!]!.shape.at(-2)!;
  const twice = two.traced.graph.nodes;
  const nodes = graph.nodes.map((node, i) => {
    const overSteps =
      node.op === (matmulOp as OpDef) &&
      twice[i]?.op === node.op &&
      twice.length === graph.nodes.length &&
      rowsOf(two.traced, twice[i]!) === 2 * rowsOf(one.traced, node);
    return overSteps ? { ...node, attrs: { ...(node.attrs as object), inOrder: true } } : node;
  });
  return { traced: { ...one.traced, graph: { ...graph, nodes } }, starts: one.starts, output };
}
