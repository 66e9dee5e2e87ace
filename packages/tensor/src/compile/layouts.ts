// Layouts: each value lies as its kernels want it. Conversions stand only where neighbours disagree, pointwise maps
// run in whatever arrangement their inputs have, and a Variable whose users want it packed lives packed between steps.

import { type Arrangement, type Backend, findKernel, type Kernel, type Layout, type MapAttrs } from "../backend.js";
import { insideModules } from "../errors.js";
import { input, isIndexed } from "../expr.js";
import { layoutKey, permuteLayout, physicalSpec } from "../layout.js";
import { defineOp, type OpDef } from "../op.js";
import { expandOp, map, permuteOp, reshapeOp } from "../primitives.js";
import { contiguousView, isContiguous, type Spec, sizeOf, type View } from "../spec.js";
import { inversePermutation } from "../view.js";
import { type Graph, GraphBuilder, type GraphNode } from "./graph.js";
import type { Traced } from "./trace.js";

export interface Arranged extends Traced {
  /** The layout of each input; only Variables have one. */
  readonly inputLayouts: readonly (Layout | null)[];
  /** The layout of each written Variable's new value: that of its input. */
  readonly writtenLayouts: readonly (Layout | null)[];
}

export interface ConversionAttrs {
  readonly layout: Layout;
  readonly plain: Spec;
}

/** Conversions: only this pass makes them, and the plan turns them into maps (see `convert` in layout.ts). Their input is contiguous. */
export const pack = /* @__PURE__ */ defineOp<ConversionAttrs>({
  name: "pack",
  infer: (_, { layout, plain }) => [physicalSpec(plain, layout)],
});
export const unpack = /* @__PURE__ */ defineOp<ConversionAttrs>({ name: "unpack", infer: (_, { plain }) => [plain] });

/** What is known of a value of the old graph: where it is in the new one, in which arrangements. */
interface Place {
  plain?: number;
  readonly packed: Map<string, number>;
  /** The arrangement it was made in; `undefined`: a Variable nobody has asked for yet, so the first who asks decides. */
  home: Layout | null | undefined;
  /** It is a permutation of another value, carried out only when somebody wants plain rows. */
  readonly permuted?: { readonly of: number; readonly axes: readonly number[] };
  /** It is this one element, spread out. */
  readonly scalar?: number;
}

export function arrange(traced: Traced, backend: Backend): Arranged {
  const { graph, sources, written } = traced;
  const views = viewsOf(graph);
  const to = new GraphBuilder();
  const places = sources.map((source, v): Place => {
    const plain = to.input(graph.specs[v]!);
    return { packed: new Map(), home: source.kind === "variable" ? undefined : null, plain };
  });

  const plainOf = (v: number): number => {
    const place = places[v]!;
    if (place.home === undefined) place.home = null;
    place.plain ??= place.permuted
      ? to.add(permuteOp, [plainOf(place.permuted.of)], { axes: place.permuted.axes }, [graph.specs[v]!])[0]!
      : to.add(unpack, [packedOf(v, place.home!)], { layout: place.home!, plain: graph.specs[v]! }, [
          graph.specs[v]!,
        ])[0]!;
    return place.plain;
  };

  /** {@link plainOf}, contiguous. */
  const rowsOf = (v: number): number => {
    const value = plainOf(v);
    const spec = graph.specs[v]!;
    const view = to.view(value);
    if (view.offset === 0 && isContiguous(view)) return value;
    return to.add(map, [value], { expr: input(0, spec.dtype), shape: spec.shape }, [spec])[0]!;
  };

  const packedOf = (v: number, layout: Layout): number => {
    const place = places[v]!;
    const key = layoutKey(layout);
    let value = place.packed.get(key);
    if (value !== undefined) return value;
    const origin = place.permuted && permuteLayout(layout, graph.specs[v]!, inversePermutation(place.permuted.axes));
    if (origin) value = packedOf(place.permuted!.of, origin);
    else if (place.home === undefined) {
      value = place.plain!;
      to.specs[value] = physicalSpec(graph.specs[v]!, layout);
      place.home = layout;
      delete place.plain;
    } else
      value = to.add(pack, [rowsOf(v)], { layout, plain: graph.specs[v]! }, [
        physicalSpec(graph.specs[v]!, layout),
      ])[0]!;
    place.packed.set(key, value);
    return value;
  };

  /** The arrangement a value is in; a permutation's follows from its origin's. */
  const homeOf = (v: number): Layout | null | undefined => {
    const { home, permuted } = places[v]!;
    if (!permuted) return home;
    const origin = homeOf(permuted.of);
    return origin ? permuteLayout(origin, graph.specs[permuted.of]!, permuted.axes) : origin;
  };

  /** A map runs packed if at least as many of its inputs are in that arrangement as would have to be converted to it. */
  const layoutForMap = (node: GraphNode): Layout | null => {
    if (isIndexed((node.attrs as MapAttrs).expr)) return null;
    const homes = node.ins
      .filter((v) => places[v]!.scalar === undefined)
      .map(homeOf)
      .filter((h) => h !== undefined);
    const layout = homes.find((h) => h !== null);
    if (!layout) return null;
    const same = homes.filter((h) => layoutKey(h) === layoutKey(layout)).length;
    return homes.length - same <= same ? layout : null;
  };

  const scalarIn = (v: number, { shape, dtype }: Spec): number => {
    const ones = shape.map(() => 1);
    const one = to.add(reshapeOp, [plainOf(places[v]!.scalar!)], { shape: ones }, [{ shape: ones, dtype }])[0]!;
    return to.add(expandOp, [one], { shape }, [{ shape, dtype }])[0]!;
  };

  /** Whether a value can be had in a layout without converting it: it is in it, or a Variable nobody has asked for. */
  const hasFree = (v: number, layout: Layout): boolean => {
    const home = homeOf(v);
    return home === undefined || (home !== null && layoutKey(home) === layoutKey(layout));
  };

  /** The layout of the Variable that a value, or what follows from it element by element, becomes; `null`: none. */
  const target = (v: number): Layout | null => {
    const known = targets[v];
    if (known !== undefined) return known;
    targets[v] = null;
    const output = graph.outputs.indexOf(v) - (graph.outputs.length - written.length);
    const variable =
      output >= 0 ? sources.findIndex((s) => s.kind === "variable" && s.variable === written[output]) : -1;
    let found = variable >= 0 ? (places[variable]!.home ?? null) : null;
    for (const user of users[v]!) {
      if (found) break;
      const there = user.op === (map as OpDef) || user.op === (permuteOp as OpDef) ? target(user.outs[0]!) : null;
      if (there && user.op === (permuteOp as OpDef)) {
        const { axes } = user.attrs as { axes: readonly number[] };
        found = permuteLayout(there, graph.specs[user.outs[0]!]!, inversePermutation(axes));
      } else found = there;
    }
    targets[v] = found;
    return found;
  };
  const targets: (Layout | null)[] = [];
  const users: GraphNode[][] = graph.specs.map(() => []);
  for (const node of graph.nodes) for (const v of node.ins) users[v]!.push(node);

  const put = (node: GraphNode): void => {
    const ins = node.ins.map((v) => graph.specs[v]!);
    const outs = node.outs.map((v) => graph.specs[v]!);
    if (node.op === (permuteOp as OpDef)) {
      const { axes } = node.attrs as { axes: readonly number[] };
      places[node.outs[0]!] = { packed: new Map(), home: null, permuted: { of: node.ins[0]!, axes } };
      return;
    }
    const common = node.op === (map as OpDef) ? layoutForMap(node) : null;
    if (common) {
      const physical = physicalSpec(outs[0]!, common);
      const given = node.ins.map((v, i) =>
        places[v]!.scalar === undefined ? packedOf(v, common) : scalarIn(v, { ...physical, dtype: ins[i]!.dtype }),
      );
      const attrs = { ...(node.attrs as MapAttrs), shape: physical.shape };
      const value = to.add(map, given, attrs, [physical], { note: common.name })[0]!;
      places[node.outs[0]!] = { packed: new Map([[layoutKey(common), value]]), home: common };
      return;
    }
    const { kernel, wanted, layouts } = wishes(node, views, outs, backend, hasFree, target);
    const given = node.ins.map((v, i) => (wanted?.ins[i] ? packedOf(v, wanted.ins[i]!) : plainOf(v)));
    const specs = outs.map((s, i) => (wanted?.outs[i] ? physicalSpec(s, wanted.outs[i]!) : s));
    const values = to.add(node.op, given, node.attrs, specs, {
      epilogue: node.epilogue,
      ...(wanted ? { kernel, logical: { ins, outs } } : {}),
      ...(layouts ? { layouts, note: noteOf(layouts) } : {}),
    });
    const scalar = node.op === (expandOp as OpDef) && sizeOf(ins[0]!.shape) === 1 ? { scalar: node.ins[0]! } : {};
    node.outs.forEach((v, i) => {
      const layout = wanted?.outs[i];
      places[v] = layout
        ? { packed: new Map([[layoutKey(layout), values[i]!]]), home: layout }
        : { packed: new Map(), home: null, plain: values[i]!, ...scalar };
    });
  };
  for (const node of graph.nodes) insideModules(node.modules, () => put(node));

  // A Variable's new value goes back in the arrangement the Variable lives in.
  const results = graph.outputs.slice(0, graph.outputs.length - written.length).map(plainOf);
  const news = written.map((variable, i) => {
    const old = sources.findIndex((s) => s.kind === "variable" && s.variable === variable);
    const value = graph.outputs[results.length + i]!;
    const layout = places[old]!.home === undefined ? (homeOf(value) ?? null) : places[old]!.home;
    if (layout) packedOf(old, layout);
    return { layout, value: layout ? packedOf(value, layout) : plainOf(value) };
  });
  return {
    ...traced,
    graph: to.graph([...results, ...news.map((n) => n.value)]),
    inputLayouts: sources.map((_, v) => places[v]!.home ?? null),
    writtenLayouts: news.map((n) => n.layout),
  };
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

/** Where the elements of every value lie while nothing is packed. */
function viewsOf(graph: Graph): readonly View[] {
  const views: View[] = graph.specs.map(contiguousView);
  for (const { op, attrs, ins, outs } of graph.nodes) if (op.view) views[outs[0]!] = op.view(views[ins[0]!]!, attrs)!;
  return views;
}

/** The node's kernel, and the layouts it asks for, or those it can do with that are to be had for nothing. */
function wishes(
  node: GraphNode,
  views: readonly View[],
  outs: readonly Spec[],
  backend: Backend,
  hasFree: (v: number, layout: Layout) => boolean,
  target: (v: number) => Layout | null,
): { kernel?: Kernel; wanted?: Arrangement; layouts?: Arrangement } {
  if (node.op.view || node.op.assemble) return {};
  const { epilogue } = node;
  const signature = {
    ins: node.ins.map((v) => views[v]!),
    outs: outs.map(contiguousView),
    attrs: node.attrs,
    epilogue,
  };
  const own = { ...signature, ins: signature.ins.slice(0, signature.ins.length - (epilogue?.extra ?? 0)) };
  const kernel = findKernel(backend, node.op.name, own);
  if (!kernel) return {};
  const wanted = kernel.layouts?.(own);
  if (wanted) return isPacked(wanted) ? { kernel, wanted } : {};
  const can = kernel.alternatives?.(signature);
  if (!can) return {};
  const layouts: Arrangement = {
    ins: node.ins.map((v, i) => can.ins[i]?.find((l) => hasFree(v, l)) ?? null),
    outs: node.outs.map((v, i) => can.outs[i]?.find((l) => layoutKey(l) === layoutKey(target(v))) ?? null),
  };
  return isPacked(layouts) ? { kernel, wanted: layouts, layouts } : {};
}

const isPacked = ({ ins, outs }: Arrangement) => [...ins, ...outs].some((l) => l);

/** Arrangements as people read them, inputs first. */
const noteOf = ({ ins, outs }: Arrangement) => [...ins, ...outs].map((l) => l?.name ?? "rows").join(", ");
