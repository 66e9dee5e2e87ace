// Products of matrices: matmul, and einsum and outer in terms of it.

import { apply1 } from "../apply.js";
import { fail, show } from "../errors.js";
import { call, input } from "../expr.js";
import { defineOp, type OpDef } from "../op.js";
import { expandOp, reduce, strided } from "../primitives.js";
import { broadcastOrFail, checkDType, rowMajor } from "../spec.js";
import type { Tensor } from "../tensor.js";
import { expand, permute, reshape, transpose, unsqueeze } from "./movement.js";
import { cast, mul } from "./pointwise.js";
import { sum } from "./reductions.js";

/** Attributes of {@link matmulOp}. */
export interface MatmulAttrs {
  /**
   * Whether a row of the result has to have the same bits whatever the number of rows: for products over the steps of a
   * sequence, that are also made step by step. Kernels for few rows may else sum in an order of their own.
   */
  readonly inOrder?: boolean;
}

/**
 * `(B…, M, K) · (B…, K, N) → (B…, M, N)` with equal batch axes; strides do for transposition and broadcasting.
 * Not of the floor (it lowers to a reduction), but the first op a backend overrides.
 */
export const matmulOp: OpDef<MatmulAttrs> = /* @__PURE__ */ defineOp({
  name: "matmul",
  infer([a, b]) {
    for (const t of [a!, b!]) checkDType("matmul", t.dtype, "f32");
    return [{ shape: [...a!.shape.slice(0, -1), b!.shape.at(-1)!], dtype: "f32" }];
  },
  lower([a, b]) {
    const [m, k] = a!.shape.slice(-2) as [number, number];
    const n = b!.shape.at(-1)!;
    const batch = a!.shape.slice(0, -2);
    const shape = [...batch, m, n, k];
    const rows = apply1(expandOp, [unsqueeze(a!, -2)], { shape });
    const columns = apply1(expandOp, [unsqueeze(transpose(b!), -3)], { shape });
    return [
      apply1(reduce, [rows, columns], {
        of: "add",
        axes: [shape.length - 1],
        prologue: call("mul", input(0), input(1)),
      }),
    ];
  },
  vjp([ct], { ins: [a, b], needs }) {
    return [
      needs[0] ? apply1(matmulOp, [ct!, transpose(b!)], {}) : null,
      needs[1] ? apply1(matmulOp, [transpose(a!), ct!], {}) : null,
    ];
  },
});

/**
 * Matrix product as `torch.matmul`: (…, M, K) · (…, K, N) with broadcasting over the leading axes; a 1-d argument is a
 * row on the left, a column on the right, and its axis is dropped.
 *
 * @example
 * ```ts
 * matmul(ones([2, 3]), ones([3, 4])).shape; // [2, 4]
 * ```
 */
export function matmul(a: Tensor, b: Tensor): Tensor {
  if (a.rank === 0 || b.rank === 0)
    fail({
      op: "matmul",
      expected: "tensors with at least one axis",
      got: `${show(a.shape)} and ${show(b.shape)}`,
      hint: "Use mul for scalars.",
    });
  const left = a.rank === 1 ? reshape(a, [1, -1]) : a;
  const right = b.rank === 1 ? reshape(b, [-1, 1]) : b;
  const [m, k] = left.shape.slice(-2) as [number, number];
  const [k2, n] = right.shape.slice(-2) as [number, number];
  if (k !== k2) {
    fail({
      op: "matmul",
      expected: "a (…, M, K) and b (…, K, N) with one K",
      got: `${show(a.shape)} and ${show(b.shape)}: ${k} ≠ ${k2}`,
      hint: "Check the layer sizes, or transpose one of them.",
    });
  }
  const y = product(cast(left, "f32"), cast(right, "f32"), m, k, n);
  if (a.rank > 1 && b.rank > 1) return y;
  return reshape(y, [...y.shape.slice(0, -2), ...(a.rank > 1 ? [m] : []), ...(b.rank > 1 ? [n] : [])]);
}

function product(a: Tensor, b: Tensor, m: number, k: number, n: number): Tensor {
  // One matrix on the right of many: a single large product.
  if (b.rank === 2 && a.rank > 2)
    return reshape(apply1(matmulOp, [reshape(a, [-1, k]), b], {}), [...a.shape.slice(0, -1), n]);
  const batch = broadcastOrFail("matmul", a.shape.slice(0, -2), b.shape.slice(0, -2));
  return apply1(matmulOp, [expand(a, [...batch, m, k]), expand(b, [...batch, k, n])], {});
}

/** `a[i] · b[j]`, (M) and (N) → (M, N). */
export function outer(a: Tensor, b: Tensor): Tensor {
  if (a.rank !== 1 || b.rank !== 1)
    fail({ op: "outer", expected: "two 1-d tensors", got: `${show(a.shape)} and ${show(b.shape)}` });
  return mul(unsqueeze(a, 1), b);
}

/**
 * Sums of products over named axes, as `torch.einsum`: `einsum("bij,bjk->bik", a, b)`. Letters name axes (twice in a term: its diagonal), `...` stands
 * for any further ones, a letter missing on the right is summed over; without `->` the letters that occur once are
 * kept, in alphabetical order. Products of two tensors become one matmul.
 */
export function einsum(equation: string, ...tensors: readonly Tensor[]): Tensor {
  const { terms, out } = parse(equation, tensors);
  let [acc, letters] = diagonal(tensors[0]!, terms[0]!);
  for (let i = 1; i < tensors.length; i++) {
    const [next, nextLetters] = diagonal(tensors[i]!, terms[i]!);
    const needed = new Set([...out, ...terms.slice(i + 1).flat()]);
    [acc, letters] = contract(acc, letters, next, nextLetters, needed);
  }
  const gone = letters.flatMap((l, i) => (out.includes(l) ? [] : [i]));
  if (gone.length > 0) acc = sum(acc, gone);
  letters = letters.filter((l) => out.includes(l));
  return permute(
    acc,
    out.map((l) => letters.indexOf(l)),
  );
}

/** Letters per tensor and of the result; `...` becomes letters "0", "1", … counted from the last axis. */
function parse(equation: string, tensors: readonly Tensor[]): { terms: string[][]; out: string[] } {
  const wrong = (got: string): never =>
    fail({ op: "einsum", expected: `an equation for ${tensors.length} tensors, such as "ij,jk->ik"`, got });
  const match = /^([A-Za-z.,]+)(?:->([A-Za-z.]*))?$/.exec(equation.replaceAll(" ", ""));
  if (!match) return wrong(`"${equation}"`);
  const parts = match[1]!.split(",");
  if (parts.length !== tensors.length) return wrong(`"${equation}" with ${parts.length} terms`);
  let dots = 0;
  const terms = parts.map((part, i) => {
    const named = part.replace("...", "").length;
    const more = tensors[i]!.rank - named;
    if (more < 0 || (more > 0 && !part.includes("..."))) wrong(`"${part}" for a tensor ${show(tensors[i]!.shape)}`);
    dots = Math.max(dots, more);
    return spelled(part, more);
  });
  const sizes = new Map<string, number>();
  terms.forEach((term, i) => {
    term.forEach((l, axis) => {
      const d = tensors[i]!.shape[axis]!;
      const known = sizes.get(l) ?? 1;
      if (known !== 1 && d !== 1 && known !== d) wrong(`axis "${l}" of sizes ${known} and ${d} in "${equation}"`);
      sizes.set(l, Math.max(known, d));
    });
  });
  const all = terms.flat();
  const implicit = [...new Set(all)].filter((l) => all.filter((m) => m === l).length === 1 || /\d/.test(l)).sort();
  const out = match[2] === undefined ? implicit : spelled(match[2], dots);
  const odd = out.find((l) => !all.includes(l));
  if (odd !== undefined) wrong(`"${odd}" only on the right of "${equation}"`);
  return { terms, out };
}

function spelled(part: string, dots: number): string[] {
  const [before, after] = part.split("...") as [string, string?];
  const middle = after === undefined ? [] : Array.from({ length: dots }, (_, i) => `${dots - 1 - i}`);
  return [...before, ...middle, ...(after ?? "")];
}

/** A letter that occurs twice in a term picks the diagonal: a view with both strides added up. */
function diagonal(x: Tensor, letters: readonly string[]): [Tensor, string[]] {
  const second = letters.findIndex((l, i) => letters.indexOf(l) < i);
  if (second < 0) return [x, [...letters]];
  const first = letters.indexOf(letters[second]!);
  const all = rowMajor(x.shape);
  const strides = all.with(first, all[first]! + all[second]!).toSpliced(second, 1);
  const view = apply1(strided, [x], { region: { shape: x.shape.toSpliced(second, 1), offset: 0, strides } });
  return diagonal(view, letters.toSpliced(second, 1));
}

/** Multiplies two tensors and sums over the letters nobody needs any more, by one matmul. */
function contract(a: Tensor, la: string[], b: Tensor, lb: string[], needed: ReadonlySet<string>): [Tensor, string[]] {
  const sizeIn = (t: Tensor, letters: string[], l: string) => t.shape[letters.indexOf(l)] ?? 1;
  const both = la.filter((l) => lb.includes(l));
  const summed = both.filter((l) => !needed.has(l));
  const batch = both.filter((l) => needed.has(l));
  const onlyA = la.filter((l) => !lb.includes(l));
  const onlyB = lb.filter((l) => !la.includes(l));
  const shared = (l: string) => Math.max(sizeIn(a, la, l), sizeIn(b, lb, l));
  const whole = (t: Tensor, letters: string[], order: string[]) => {
    const p = permute(
      t,
      order.map((l) => letters.indexOf(l)),
    );
    return expand(
      p,
      order.map((l, i) => (both.includes(l) ? shared(l) : p.shape[i]!)),
    );
  };
  const count = (list: string[], t: Tensor, letters: string[]) => list.reduce((n, l) => n * sizeIn(t, letters, l), 1);
  const sizes = batch.map(shared);
  const k = summed.reduce((n, l) => n * shared(l), 1);
  const left = reshape(whole(a, la, [...batch, ...onlyA, ...summed]), [...sizes, count(onlyA, a, la), k]);
  const right = reshape(whole(b, lb, [...batch, ...summed, ...onlyB]), [...sizes, k, count(onlyB, b, lb)]);
  const y = matmul(left, right);
  const shape = [...sizes, ...onlyA.map((l) => sizeIn(a, la, l)), ...onlyB.map((l) => sizeIn(b, lb, l))];
  return [reshape(y, shape), [...batch, ...onlyA, ...onlyB]];
}
