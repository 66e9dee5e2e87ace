// The part of ops that moves elements: shapes, padding, indexing, sorting.

import type { Range, Tensor } from "@nn/tensor";
import * as nn from "@nn/tensor";
import { type GoldenCase, tensorsOf } from "../case.js";
import type { Tensors } from "../subject.js";
import { type Builder, gives } from "./family.js";

/** Several outputs, named as the case names them. */
const parts = (c: GoldenCase, tensors: readonly Tensor[]): Tensors =>
  Object.fromEntries([...tensorsOf(c, "out").keys()].map((name, i) => [name, tensors[i]!]));

const all = (c: GoldenCase, ins: Tensors): Tensor[] => [...tensorsOf(c, "in").keys()].map((name) => ins[name]!);

const list = (v: number | readonly number[]): readonly number[] => (typeof v === "number" ? [v] : v);

const shapes: Record<string, Builder> = {
  cat: gives((args, c) => {
    const axis = args.get("dim", 0);
    return (ins) => nn.cat(all(c, ins), axis);
  }),
  stack: gives((args, c) => {
    const axis = args.get("dim", 0);
    return (ins) => nn.stack(all(c, ins), axis);
  }),
  split: (args, c) => {
    const [sizes, axis] = [args.get<number | number[]>("sizes"), args.get("dim", 0)];
    return { run: ({ x }) => parts(c, nn.split(x!, sizes, axis)) };
  },
  chunk: (args, c) => {
    const [n, axis] = [args.get<number>("chunks"), args.get("dim", 0)];
    return { run: ({ x }) => parts(c, nn.chunk(x!, n, axis)) };
  },
  slice: gives((args) => {
    const ranges = args.get<Range[]>("slices");
    return ({ x }) => nn.slice(x!, ranges);
  }),
  select: gives((args) => {
    const [axis, i] = [args.get<number>("dim"), args.get<number>("index")];
    return ({ x }) => nn.select(x!, axis, i);
  }),
  permute: gives((args) => {
    const axes = args.get<number[]>("dims");
    return ({ x }) => nn.permute(x!, axes);
  }),
  transpose: gives((args) => {
    const [a, b] = [args.get<number>("dim0"), args.get<number>("dim1")];
    return ({ x }) => nn.transpose(x!, a, b);
  }),
  reshape: gives((args) => {
    const shape = args.get<number[]>("shape");
    return ({ x }) => nn.reshape(x!, shape);
  }),
  /** Its shape is in the note, and that of the result. */
  reshape_of_transpose: gives((_, c) => {
    const { shape } = tensorsOf(c, "out").get("y")!;
    return ({ x }) => x!.transpose().reshape(shape);
  }),
  flatten: gives((args) => {
    const [start, end] = [args.get("start_dim", 0), args.get("end_dim", -1)];
    return ({ x }) => nn.flatten(x!, start, end);
  }),
  squeeze: gives((args) => {
    const axes = args.get<number | number[] | null>("dim", null) ?? undefined;
    return ({ x }) => nn.squeeze(x!, axes);
  }),
  unsqueeze: gives((args) => {
    const axis = args.get<number>("dim");
    return ({ x }) => nn.unsqueeze(x!, axis);
  }),
  expand: gives((args) => {
    const shape = args.get<number[]>("shape");
    return ({ x }) => nn.expand(x!, shape);
  }),
  repeat: gives((args) => {
    const times = args.get<number[]>("repeats");
    return ({ x }) => nn.repeat(x!, times);
  }),
  flip: gives((args) => {
    const axes = args.get<number | number[]>("dims");
    return ({ x }) => nn.flip(x!, axes);
  }),
  roll: gives((args) => {
    const shifts = list(args.get<number | number[]>("shifts"));
    const axes = args.get<number | number[] | null>("dims", null);
    // Without axes PyTorch rolls the flattened tensor.
    return ({ x }) =>
      axes === null ? nn.roll(nn.flatten(x!), shifts, [0]).reshape(x!.shape) : nn.roll(x!, shifts, list(axes));
  }),
  tril: gives((args) => {
    const k = args.get("diagonal", 0);
    return ({ x }) => nn.tril(x!, k);
  }),
  triu: gives((args) => {
    const k = args.get("diagonal", 0);
    return ({ x }) => nn.triu(x!, k);
  }),
  pad: gives((args) => {
    const flat = args.get<number[]>("pad");
    const mode = args.only<"constant" | "reflect" | "replicate" | "circular">(
      "mode",
      "constant",
      "reflect",
      "replicate",
      "circular",
    );
    const value = args.get<number | null>("value", null) ?? 0;
    // PyTorch's list begins with the last axis; ours is in the order of the axes.
    const pairs = Array.from(
      { length: flat.length / 2 },
      (_, i) => [flat[2 * i]!, flat[2 * i + 1]!] as const,
    ).reverse();
    return ({ x }) => nn.pad(x!, pairs, mode === "constant" ? { mode, value } : { mode });
  }),
};

const indexing: Record<string, Builder> = {
  gather: gives((args) => {
    const axis = args.get<number>("dim");
    return ({ x, idx }) => nn.gather(x!, axis, idx!);
  }),
  index_select: gives((args) => {
    const axis = args.get<number>("dim");
    return ({ x, idx }) => nn.indexSelect(x!, axis, idx!);
  }),
  scatter_add: gives((args) => {
    const axis = args.get<number>("dim");
    return ({ x, idx, src }) => nn.scatterAdd(x!, axis, idx!, src!);
  }),
  index_add: gives((args) => {
    const axis = args.get<number>("dim");
    const alpha = args.get("alpha", 1);
    return ({ x, idx, src }) => nn.indexAdd(x!, axis, idx!, alpha === 1 ? src! : src!.mul(alpha));
  }),
  one_hot: gives((args) => {
    const classes = args.get<number>("num_classes");
    return ({ idx }) => nn.oneHot(idx!, classes);
  }),
  sort: (args) => {
    const options = { axis: args.get("dim", -1), descending: args.get("descending", false) };
    args.get("stable", true); // ours always is
    return { run: ({ x }) => ({ ...nn.sort(x!, options) }) };
  },
  topk: (args) => {
    const [k, options] = [args.get<number>("k"), { axis: args.get("dim", -1), largest: args.get("largest", true) }];
    args.only("sorted", true);
    return { run: ({ x }) => ({ ...nn.topK(x!, k, options) }) };
  },
};

export const movement = { ...shapes, ...indexing };
