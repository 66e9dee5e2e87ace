// scan: a loop over the first axis whose graph has one step, however many there are.

import { apply, interpreter } from "../apply.js";
import type { Graph } from "../compile/graph.js";
import { fail, show } from "../errors.js";
import { grad } from "../grad.js";
import { defineOp, type OpDef, type Saved } from "../op.js";
import { zerosLike } from "../ops/creation.js";
import { matmul, matmulOp } from "../ops/linalg.js";
import { permute, reshape, split, stack, transpose } from "../ops/movement.js";
import { add, mul } from "../ops/pointwise.js";
import { sum } from "../ops/reductions.js";
import { permuteOp } from "../primitives.js";
import { scope } from "../scope.js";
import type { Spec } from "../spec.js";
import { mapStructure } from "../structure.js";
import { Tensor } from "../tensor.js";
import { capture, ScanBody } from "./body.js";

/** Options of {@link scan}. */
export interface ScanOptions {
  /** From the last element to the first (default false); results lie as the elements do. */
  readonly reverse?: boolean;
  /** How many steps, where there are no elements. */
  readonly steps?: number;
}

/**
 * Runs a cell over the first axis of tensors, as
 * [jax.lax.scan](https://docs.jax.dev/en/latest/_autosummary/jax.lax.scan.html): `[carry, y] = cell(carry, x[t])` for every t. The cell is
 * traced once; a backend with a kernel for the loop (`@nn/recurrent/wasm`) runs it as one, others unroll it. What the
 * cell closes over, Variables too, has gradients like everything else; it may not assign to Variables.
 *
 * @param cell from the carry and the elements of step t to `[next carry, results]`; each a tensor, or an array or plain object of them
 * @param init the carry before the first step
 * @param xs (T, …): what the elements are taken from; null with `steps`
 * @returns the carry after the last step, and the results (T, …)
 * @throws {@link NNError} if there is no step, lengths differ, or a step changes the carry's shapes or dtypes
 * @example
 * ```ts
 * const [last, sums] = scan((total: Tensor, x: Tensor) => [total.add(x), total.add(x)], zeros([]), tensor([1, 2, 3]));
 * // last 6, sums [1, 3, 6]
 * ```
 */
export function scan<C, X, Y>(
  cell: (carry: C, x: X) => readonly [carry: C, y: Y],
  init: C,
  xs: X,
  options: ScanOptions = {},
): [carry: C, ys: Y] {
  return scope(() => {
    const [first, elements] = [leavesOf("init", init), [...leavesOf("xs", xs).values()]];
    const carry = [...first.values()];
    const steps = elements[0]?.shape[0] ?? options.steps ?? 0;
    const lengths = [...elements.map((x) => x.shape[0]), options.steps ?? steps];
    if (!Number.isInteger(steps) || steps < 1 || lengths.some((n) => n !== steps)) {
      fail({
        op: "scan",
        expected: "elements (T, …) of one length T ≥ 1, or the option steps",
        got:
          [
            ...elements.map((x) => show(x.shape)),
            ...(options.steps === undefined ? [] : [`steps ${options.steps}`]),
          ].join(", ") || "neither",
      });
    }
    let result: unknown;
    const { graph, captured } = capture(
      (...ins) => {
        let next = 0;
        const [c, x] = [init, xs].map((s) => mapStructure(s, (v) => (v instanceof Tensor ? ins[next++]! : v)));
        const [after, y] = cell(c as C, x as X);
        result = y;
        // By their names: a cell may give them in another order.
        const given = leavesOf("the next carry", after);
        const specs = (all: ReadonlyMap<string, Spec>, paths: Iterable<string>) =>
          [...paths].map((path) => `${path}${all.has(path) ? specText(all.get(path)!) : "nothing"}`).join(", ");
        const paths = new Set([...first.keys(), ...given.keys()]);
        if (specs(first, paths) !== specs(given, paths)) {
          fail({
            op: "scan",
            expected: `a next carry as the first one: ${specs(first, paths)}`,
            got: specs(given, paths),
            hint: "A cell keeps the structure, shapes and dtypes of its carry.",
          });
        }
        return [...[...first.keys()].map((path) => given.get(path)!), ...leavesOf("results", y).values()];
      },
      [...carry, ...elements.map(elementOf)],
    );
    const attrs: ScanAttrs = {
      body: new ScanBody(graph),
      carries: carry.length,
      elements: elements.length,
      steps,
      reverse: options.reverse ?? false,
      saved: null,
    };
    const outs = apply(scanOp, [...carry, ...elements, ...captured], interpreter().recording ? saving(attrs) : attrs);
    let next = 0;
    const [last, ys] = [init, result].map((s) => mapStructure(s, (v) => (v instanceof Tensor ? outs[next++]! : v)));
    return [last as C, ys as Y];
  });
}

/** Attributes of {@link scanOp}. */
export interface ScanAttrs {
  readonly body: ScanBody;
  /** How many of the inputs are carries, and how many elements; the others are what the body closes over. */
  readonly carries: number;
  readonly elements: number;
  readonly steps: number;
  readonly reverse: boolean;
  /**
   * For the way back: values of the body that are costly to compute, and the last of its results. The carries before
   * every step are then outputs, too.
   */
  readonly saved: readonly number[] | null;
}

/** The same scan, keeping what the way back wants. */
function saving(attrs: ScanAttrs): ScanAttrs {
  const { graph } = attrs.body;
  const saved = graph.nodes.filter(({ op }) => !op.expr && !op.view && !op.assemble).flatMap((n) => n.outs);
  return { ...attrs, body: new ScanBody({ ...graph, outputs: [...graph.outputs, ...saved] }), saved };
}

/** `"scan"`: (carries, elements (T, …), captured) → last carries, results (T, …), and maybe carries (T, …) before the steps. */
export const scanOp: OpDef<ScanAttrs> = /* @__PURE__ */ defineOp<ScanAttrs>({
  name: "scan",
  infer(ins, { body, carries, steps, saved }) {
    const { specs, outputs } = body.graph;
    const [last, ys] = partsOf(
      outputs.map((v) => specs[v]!),
      carries,
    );
    const all = (s: Spec): Spec => ({ shape: [steps, ...s.shape], dtype: s.dtype });
    return [...last, ...ys.map(all), ...(saved ? ins.slice(0, carries).map(all) : [])];
  },
  lower(ins, { body, carries, elements, steps, reverse, saved }) {
    const [init, xs, captured] = partsOf(ins, carries, elements);
    const parts = xs.map((x) => split(x, 1).map((t) => reshape(t, x.shape.slice(1))));
    const results: (readonly Tensor[])[] = [];
    let carry: readonly Tensor[] = init;
    for (let i = 0; i < steps; i++) {
      const t = reverse ? steps - 1 - i : i;
      const values = body.run([...carry, ...parts.map((x) => x[t]!), ...captured]);
      const [next, ys] = partsOf(body.outputs(values), carries);
      results[t] = saved ? [...ys, ...carry] : ys;
      carry = next;
    }
    return [...carry, ...results[0]!.map((_, k) => stack(results.map((r) => r[k]!)))];
  },
  vjp,
});

// ── gradient ───────────────────────────────────────────────────────────────────────────────────────

/**
 * A scan the other way round. A step runs the body again, on the carry it had and but for what was saved, and goes
 * back through it; what the body closes over has its gradients added up in carries, or, where they are products of matrices, by one product after the
 * loop.
 */
function vjp(ct: readonly (Tensor | null)[], rule: Saved<ScanAttrs>): (Tensor | null)[] {
  const { ins, needs } = rule;
  const attrs = rule.attrs.saved ? rule.attrs : saving(rule.attrs);
  const outs = rule.attrs.saved ? rule.outs : apply(scanOp, ins, attrs);
  const { body, carries, elements, steps, reverse } = attrs;
  const saved = attrs.saved!;
  const [init, xs, captured] = partsOf(ins, carries, elements);
  const results = body.graph.outputs.length - carries;
  const states = outs.slice(carries + results);
  const moving = indicesOf(init, (t) => t.dtype === "f32");
  const wanted = (from: number) => (t: Tensor, i: number) => t.dtype === "f32" && needs[from + i]!;
  const [wantedXs, wantedCaptured] = [indicesOf(xs, wanted(carries)), indicesOf(captured, wanted(carries + elements))];
  const [ctYs, ctStates] = partsOf(ct.slice(carries), results).map((list) => indicesOf(list, (t) => t !== null));
  const perStep = [
    ...xs,
    ...states,
    ...outs.slice(carries + results - saved.length, carries + results),
    ...ctYs.map((i) => ct[carries + i]!),
    ...ctStates.map((i) => ct[carries + results + i]!),
  ];
  const before = moving.map((i) => ct[i] ?? zerosLike(init[i]!));

  // A step back: gradients of its carry, its elements, and of what it closes over.
  const step = capture(
    (...given) => {
      const [dc, x, s, , dy, ds] = partsOf(given, moving.length, elements, carries, saved.length, ctYs.length);
      let costly: Tensor[] = [];
      const wrt = [
        ...moving.map((i) => s[i]!),
        ...wantedXs.map((i) => x[i]!),
        ...wantedCaptured.map((i) => captured[i]!),
      ];
      const gradients = grad(() => {
        const values = body.run([...s, ...x, ...captured]);
        costly = saved.map((v) => values[v]!);
        const out = body.outputs(values);
        const shares = [
          ...moving.map((i, k) => mul(out[i]!, dc[k]!)),
          ...ctYs.map((i, k) => mul(out[carries + i]!, dy[k]!)),
          ...ctStates.map((i, k) => mul(s[i]!, ds[k]!)),
        ];
        return shares.map((t) => sum(t)).reduce((a, b) => add(a, b));
      }, wrt);
      return [...gradients, ...costly];
    },
    [...before, ...perStep.map(elementOf)],
  );
  const { graph } = step;
  const inputs = moving.length + perStep.length;
  const [dcAt, dxAt, dcapturedAt, costlyAt] = partsOf(
    graph.outputs,
    moving.length,
    wantedXs.length,
    wantedCaptured.length,
  );
  const products = dcapturedAt.map((v) => productOf(graph, v, inputs));
  const sums = indicesOf(products, (p) => p === null);
  const isElement = (v: number) => v >= moving.length && v < inputs;
  /** Values of a step that a product wants of all steps, unless they are elements already. */
  const kept = [...new Set(products.flatMap((p) => p?.map(({ value }) => value) ?? []))].filter((v) => !isElement(v));
  const whole = new ScanBody(graph);
  const start = [...before, ...sums.map((k) => zerosLike(captured[wantedCaptured[k]!]!))];
  const back = capture(
    (...given) => {
      const [dc, total, rest] = partsOf(given, moving.length, sums.length);
      // What was saved is not computed again.
      const known = new Map(costlyAt.map((v, i) => [v, rest[elements + carries + i]!]));
      const values = whole.run([...dc, ...rest, ...step.captured], known);
      const at = (list: readonly number[]) => list.map((v) => values[v]!);
      return [...at(dcAt), ...sums.map((k, i) => add(total[i]!, values[dcapturedAt[k]!]!)), ...at(dxAt), ...at(kept)];
    },
    [...start, ...perStep.map(elementOf)],
  );
  const all = apply(scanOp, [...start, ...perStep, ...back.captured], {
    body: new ScanBody(back.graph),
    carries: start.length,
    elements: perStep.length,
    steps,
    reverse: !reverse,
    saved: null,
  });
  const [dinit, totals, dxs, values] = partsOf(all, moving.length, sums.length, wantedXs.length);
  const valueOf = (v: number) => (isElement(v) ? perStep[v - moving.length]! : values[kept.indexOf(v)]!);
  const dcaptured = products.map((p, k) =>
    p ? afterLoop(p.map(({ value, turned }) => ({ all: valueOf(value), turned }))) : totals[sums.indexOf(k)]!,
  );
  const at = (list: readonly number[], found: readonly Tensor[]) => (_: Tensor, i: number) =>
    list.includes(i) ? found[list.indexOf(i)]! : null;
  return [...init.map(at(moving, dinit)), ...xs.map(at(wantedXs, dxs)), ...captured.map(at(wantedCaptured, dcaptured))];
}

/** A matrix of a step, or its transpose. */
interface Factor<V> {
  readonly value: V;
  readonly turned: boolean;
}

/** The factors of a value that is a product of two matrices, or its transpose, and changes with the step; else null. */
function productOf(graph: Graph, v: number, inputs: number): Factor<number>[] | null {
  const producer = (value: number) => graph.nodes.find((n) => n.outs.includes(value));
  const untransposed = (value: number): Factor<number> => {
    const node = producer(value);
    const turned = node?.op === (permuteOp as OpDef) && graph.specs[value]!.shape.length === 2;
    const axes = turned && (node.attrs as { axes: readonly number[] }).axes;
    return axes && axes[0] === 1 ? { value: node!.ins[0]!, turned: true } : { value, turned: false };
  };
  const { value, turned } = untransposed(v);
  const node = producer(value);
  if (node?.op !== (matmulOp as OpDef) || graph.specs[value]!.shape.length !== 2) return null;
  const factors = node.ins.map(untransposed);
  // An input behind those of the step is what the body closes over: the same in every step.
  if (factors.some((f) => f.value >= inputs && f.value < graph.inputs)) return null;
  return turned ? factors.reverse().map((f) => ({ ...f, turned: !f.turned })) : factors;
}

/** Σ over t of left[t] · right[t], as one product: the steps lie side by side along the inner axis. */
function afterLoop([left, right]: readonly { readonly all: Tensor; readonly turned: boolean }[]): Tensor {
  const rows = ({ all }: { readonly all: Tensor }) => reshape(all, [-1, all.shape[2]!]); // (T, K, N) → (T · K, N)
  const columns = ({ all }: { readonly all: Tensor }) => reshape(permute(all, [1, 0, 2]), [all.shape[1]!, -1]); // (T, M, K) → (M, T · K)
  return matmul(
    left!.turned ? transpose(rows(left!)) : columns(left!),
    right!.turned ? transpose(columns(right!)) : rows(right!),
  );
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

const elementOf = ({ shape, dtype }: Spec): Spec => ({ shape: shape.slice(1), dtype });
const specText = ({ shape, dtype }: Spec): string => `${show(shape)} ${dtype}`;

/** The tensors of a structure, by where they are in it. */
function leavesOf(
  what: string,
  structure: unknown,
  path = "",
  leaves = new Map<string, Tensor>(),
): Map<string, Tensor> {
  if (structure instanceof Tensor) leaves.set(path, structure);
  else if (Array.isArray(structure) || Object.getPrototypeOf(structure ?? 0) === Object.prototype)
    for (const [key, v] of Object.entries(structure as object)) leavesOf(what, v, `${path}${key}: `, leaves);
  else if (structure !== null && structure !== undefined) {
    fail({
      op: "scan",
      expected: `${what} of tensors, in arrays and plain objects`,
      got: `${path}${typeof structure}`,
      hint: "What stays the same can be closed over.",
    });
  }
  return leaves;
}

function indicesOf<T>(list: readonly T[], test: (t: T, i: number) => boolean): number[] {
  return [...list.keys()].filter((i) => test(list[i]!, i));
}

/** A list in pieces of some lengths, and what is left. */
function partsOf<T, N extends readonly number[]>(list: readonly T[], ...lengths: N): [...{ [K in keyof N]: T[] }, T[]] {
  let from = 0;
  const parts = lengths.map((n) => list.slice(from, (from += n)));
  parts.push(list.slice(from));
  return parts as [...{ [K in keyof N]: T[] }, T[]];
}
