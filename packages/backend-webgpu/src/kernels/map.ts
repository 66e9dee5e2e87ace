// map: a thread per element. Where it accumulates and elements meet, a thread per place, which looks for its elements.

import { expr as ex, isContiguous, type MapAttrs, type Signature, sameShape, sizeOf, type View } from "@nn/tensor";
import { eachElement, groupsOf, reads, type WgslCode, type WgslKernel, writes } from "../code.js";
import { compares, printFormula } from "../formula.js";
import { textOf } from "../math.js";
import { literal, placeOf, sum } from "../walk.js";

export const map: WgslKernel<MapAttrs> = {
  op: "map",
  emit(signature) {
    const { ins, outs, attrs } = signature;
    const out = outs[0]!;
    const size = sizeOf(out.shape);
    if (size === 0) return { name: "map", passes: [] };
    if (attrs.accumulate && meets(out)) return pull(signature);
    const place = placeOf([...ins, out], out.shape, "i", "c", ex.isIndexed(attrs.expr));
    const { lines, value, calls } = printFormula(attrs.expr, {
      load: (k) => `in${k}[${place.at[k]}]`,
      coordinate: place.coordinate,
    });
    const to = `out0[${place.at.at(-1)}]`;
    const store = attrs.accumulate ? `${to} += ${value};` : `${to} = ${value};`;
    return {
      name: "map",
      passes: [
        {
          text: eachElement(size, [...place.lines, ...lines, store], textOf(calls)),
          bindings: bindingsOf(signature),
          groups: groupsOf(size),
          inPlace: isContiguous(out) ? ins.flatMap((v, k) => (isSame(v, out) ? [`in${k}`] : [])) : [],
        },
      ],
    };
  },
};

const isSame = (a: View, b: View): boolean =>
  a.dtype === b.dtype && a.offset === b.offset && isContiguous(a) && sameShape(a.shape, b.shape);

const bindingsOf = ({ ins, outs, attrs: { expr, accumulate } }: Signature<MapAttrs>) => {
  const exact = compares(expr) ? false : undefined;
  return [
    ...ex.inputsOf(expr).map((k) => reads(`in${k}`, ins[k]!.dtype, exact)),
    writes("out0", outs[0]!.dtype, accumulate ? false : undefined),
  ];
};

interface Axis {
  readonly axis: number;
  readonly size: number;
  readonly stride: number;
}

/** Axes of more than one element, with positive strides, and the lowest address. */
function axesOf(view: View): { axes: readonly Axis[]; low: number; high: number } {
  let low = view.offset;
  let high = view.offset;
  const axes = view.shape.flatMap((size, axis) => {
    const stride = view.strides[axis]!;
    if (size === 1) return [];
    if (stride < 0) low += (size - 1) * stride;
    else high += (size - 1) * stride;
    return [{ axis, size, stride: Math.abs(stride) }];
  });
  return { axes, low, high };
}

/** Whether no two elements of these axes lie at one place, as each axis steps over all that the smaller ones reach. */
function isNested(axes: readonly Axis[]): boolean {
  let reach = 0;
  return [...axes]
    .sort((a, b) => a.stride - b.stride)
    .every(({ size, stride }) => {
      const fits = stride > reach;
      reach += (size - 1) * stride;
      return fits;
    });
}

/** Whether several elements may lie at one place. */
const meets = (view: View): boolean => !isNested(axesOf(view).axes);

/**
 * A thread per place of the output. Axes that are nested have at most one element there, which division finds; over the
 * others, as few as can be, it loops. So nothing races, and the order of a sum is always the same.
 */
function pull(signature: Signature<MapAttrs>): WgslCode {
  const { ins, outs, attrs } = signature;
  const out = outs[0]!;
  const { axes, low, high } = axesOf(out);
  const choices = Array.from({ length: 2 ** axes.length }, (_, bits) => ({
    direct: axes.filter((_, k) => (bits >> k) & 1),
    looped: axes.filter((_, k) => !((bits >> k) & 1)),
  })).filter(({ direct }) => isNested(direct));
  const rounds = (looped: readonly Axis[]) => looped.reduce((n, { size }) => n * size, 1);
  const { direct, looped } = choices.reduce((a, b) => (rounds(b.looped) < rounds(a.looped) ? b : a));

  // An axis with a negative stride is counted from its end.
  const coordinate = (axis: number) => (out.shape[axis] === 1 ? "0" : `c${axis}`);
  const counted = ({ axis, size }: Axis, n: string) =>
    `let c${axis} = ${out.strides[axis]! < 0 ? `${size - 1} - ${n}` : n};`;
  const at = ins.map((v) =>
    sum(
      v.offset,
      v.shape.flatMap((d, axis) =>
        d === 1 || v.strides[axis] === 0 ? [] : [`c${axis} * ${literal(v.strides[axis]!)}`],
      ),
    ),
  );
  const { lines, value, calls } = printFormula(attrs.expr, { load: (k) => `in${k}[${at[k]}]`, coordinate });
  const find = [...direct]
    .sort((a, b) => b.stride - a.stride)
    .flatMap((a) => [
      `let n${a.axis} = min(rest / ${a.stride}, ${a.size - 1});`,
      `rest -= n${a.axis} * ${a.stride};`,
      counted(a, `n${a.axis}`),
    ]);
  const body = [
    `let place = i32(i);`,
    `var total = out0[${sum(low, ["place"])}];`,
    ...looped.map(({ axis, size }) => `for (var n${axis} = 0; n${axis} < ${size}; n${axis}++) {`),
    `var rest = place${looped.map(({ axis, stride }) => ` - n${axis} * ${stride}`).join("")};`,
    "if (rest >= 0) {",
    ...find,
    "if (rest == 0) {",
    ...looped.map((a) => counted(a, `n${a.axis}`)),
    ...lines,
    `total += ${value};`,
    "}",
    "}",
    ...looped.map(() => "}"),
    `out0[${sum(low, ["place"])}] = total;`,
  ];
  const count = high - low + 1;
  return {
    name: "map",
    passes: [
      { text: eachElement(count, body, textOf(calls)), bindings: bindingsOf(signature), groups: groupsOf(count) },
    ],
  };
}
