// Masks and packed sequences: that layers pass over what does not count, whatever is there. (options.test.ts has random ones.)

import { compile, grad, NNError, ones, randn, type Tensor, tensor } from "@nn/tensor";
import { describe, expect, it } from "vitest";
import {
  GRU,
  LSTM,
  maskOf,
  type PackedSequence,
  packPaddedSequence,
  packSequence,
  padPackedSequence,
  padSequence,
  RNN,
} from "./index.js";

const list = (t: Tensor) => Array.from(t.readSync());
const near = (t: Tensor) => list(t).map((v) => expect.closeTo(v, 5));
const bools = (rows: readonly (readonly number[])[]) => tensor(rows.map((row) => [...row])).eq(1);

describe("maskOf", () => {
  it("is true before the ends", async () => {
    expect(await maskOf([3, 0, 2], 3, { batchFirst: true }).toArray()).toEqual([
      [true, true, true],
      [false, false, false],
      [true, true, false],
    ]);
    const lengths = tensor(Int32Array.of(1, 2));
    expect(await maskOf(lengths, 2).toArray()).toEqual([
      [true, true],
      [false, true],
    ]);
  });

  it("makes a mask that does what lengths do", () => {
    const layer = new LSTM(3, 4, { bidirectional: true, numLayers: 2, batchFirst: true });
    const [x, lengths] = [randn([3, 5, 3]), [5, 1, 3]];
    const want = Object.values(layer.forward(x, undefined, { lengths }));
    const got = layer.forward(x, undefined, { mask: maskOf(lengths, 5, { batchFirst: true }) });
    expect(Object.values(got).map(list)).toEqual(want.map(near));
  });
});

describe("a mask", () => {
  const mask = [
    [0, 1, 1, 0, 1],
    [0, 0, 0, 0, 0],
    [1, 1, 1, 1, 1],
  ];

  it("leaves the rows without what does not count, as if it had never been there", () => {
    const layer = new GRU(3, 4, { bidirectional: true, batchFirst: true });
    const [x, h0] = [randn([3, 5, 3]), randn([2, 3, 4])];
    const { output, h } = layer.forward(x, h0, { mask: bools(mask) });
    for (const [n, row] of mask.entries()) {
      const steps = [...row.keys()].filter((t) => row[t]);
      const of = (t: Tensor) => steps.map((i) => t.select(0, n).slice([[i, i + 1]]));
      const skipped = [...row.keys()].filter((t) => !row[t]).flatMap((i) => list(output.select(0, n).select(0, i)));
      expect(skipped.every((v) => v === 0)).toBe(true);
      if (steps.length === 0) {
        expect(list(h.select(1, n))).toEqual(list(h0.select(1, n)));
        continue;
      }
      const alone = layer.forward(padSequence(of(x).map((t) => t.squeeze(0))).transpose(0, 1), h0.select(1, n));
      expect(of(output).flatMap(list)).toEqual(near(alone.output));
      expect(list(h.select(1, n))).toEqual(near(alone.h));
    }
  });

  it("hides NaN, in gradients too, and is a tensor like others in a compiled function", () => {
    const layer = new RNN(3, 4, { numLayers: 2, bidirectional: true });
    const counts = bools(mask).transpose(0, 1);
    const x = randn([5, 3, 3]);
    const dirty = x.maskedFill(counts.logicalNot().unsqueeze(2), Number.NaN);
    const loss = (x: Tensor, mask: Tensor) => layer.forward(x, undefined, { mask }).output.square().sum();
    const gradients = (x: Tensor, mask: Tensor) => grad(() => loss(x, mask), [x, ...layer.parameters()]);
    const want = gradients(x, counts).map(near);
    expect(gradients(dirty, counts).map(list)).toEqual(want);
    const compiled = compile(gradients);
    expect(compiled(dirty, counts).map(list)).toEqual(want);
    const all = ones([5, 3]).eq(1);
    expect(compiled(x, all).map(list)).toEqual(
      grad(() => layer.forward(x).output.square().sum(), [x, ...layer.parameters()]).map(near),
    );
  });

  it("works without a batch", () => {
    const layer = new LSTM(3, 4);
    const x = randn([4, 3]);
    const { output, c } = layer.forward(x, undefined, { mask: tensor([1, 0, 0, 1]).eq(1) });
    const { output: want, c: last } = layer.forward(x.slice([[0, 4, 3]]));
    expect(list(c)).toEqual(near(last));
    expect(list(output.slice([[0, 4, 3]]))).toEqual(near(want));
    expect(list(output.slice([[1, 3]])).every((v) => v === 0)).toBe(true);
  });

  it.each<[string, object, string]>([
    ["shape", { mask: bools([[1, 1, 1]]) }, "GRU: expected a mask (T, N) = (3, 2) bool, got (1, 3) bool"],
    ["dtype", { mask: ones([3, 2]) }, "got (3, 2) f32"],
    ["no tensor", { mask: [[true, true, true]] }, "GRU: expected a mask (T, N) = (3, 2) bool, got no tensor"],
    [
      "lengths, too",
      {
        mask: bools([
          [1, 1],
          [1, 1],
          [1, 1],
        ]),
        lengths: [1, 2],
      },
      "GRU: expected lengths or a mask, got both",
    ],
  ])("error: %s", (_, options, message) => {
    expect(() => new GRU(2, 3).forward(randn([3, 2, 2]), undefined, options)).toThrow(message);
  });
});

describe("packed sequences", () => {
  const sequences = () => [randn([2, 3]), randn([4, 3]), randn([1, 3])];

  it("are padded to the longest, on either side", async () => {
    const [a, b] = [tensor([1, 2, 3]), tensor([4])];
    expect(await padSequence([a, b]).toArray()).toEqual([
      [1, 4],
      [2, 0],
      [3, 0],
    ]);
    const left = padSequence([a, b], { batchFirst: true, paddingValue: -1, paddingSide: "left" });
    expect(await left.toArray()).toEqual([
      [1, 2, 3],
      [-1, -1, 4],
    ]);
    const tokens = [tensor(Int32Array.of(1, 2)), tensor(Int32Array.of(3))];
    expect(padSequence(tokens).dtype).toBe("i32");
  });

  it.each([RNN, GRU, LSTM])("go in and come out of %o as what each row alone gives", (Kind) => {
    const layer = new Kind(3, 4, { bidirectional: true, batchFirst: true });
    const parts = sequences();
    const packed = packSequence(parts);
    const [output, h] = Object.values(layer.forward(packed)) as [PackedSequence, Tensor];
    expect(list(output.lengths)).toEqual([2, 4, 1]);
    const padded = padPackedSequence(output, { batchFirst: true, totalLength: 6, paddingValue: 7 });
    expect(padded.output.shape).toEqual([3, 6, 8]);
    for (const [n, x] of parts.entries()) {
      const alone = layer.forward(x);
      const row = padded.output.select(0, n);
      const T = x.shape[0]!;
      expect(list(row.slice([[0, T]]))).toEqual(near(alone.output));
      expect(list(row.slice([[T]])).every((v) => v === 7)).toBe(true);
      expect(list(h.select(1, n))).toEqual(near(alone.h));
    }
  });

  it("pass from layer to layer, and through compile", () => {
    const [first, second] = [new GRU(3, 4), new LSTM(4, 2)];
    const net = (x: PackedSequence) => second.forward(first.forward(x).output);
    const packed = packSequence(sequences());
    const { output, c } = compile(net)(packed);
    const want = net(packed);
    expect([output.data, c].map(list)).toEqual([want.output.data, want.c].map(near));
  });

  it("are cut to the greatest length given, in any order of rows", () => {
    const packed = packPaddedSequence(randn([2, 6, 3]), [1, 4], { batchFirst: true });
    expect(packed.data.shape).toEqual([4, 2, 3]);
    const lengths = tensor(Int32Array.of(1, 4));
    expect(packPaddedSequence(randn([6, 2, 3]), lengths).data.shape).toEqual([6, 2, 3]);
  });

  const x = () => randn([3, 2, 2]);
  it.each<[string, () => unknown, string]>([
    ["nothing to pad", () => padSequence([]), "padSequence: expected at least one sequence, got none"],
    [
      "shapes",
      () => padSequence([randn([2, 3]), randn([2, 4])]),
      "padSequence: expected sequences (T, 3) f32, got (2, 4) f32",
    ],
    [
      "side",
      () => padSequence([x()], { paddingSide: "top" as "left" }),
      'expected paddingSide "left" or "right", got "top"',
    ],
    ["rank", () => packPaddedSequence(randn([3]), [3]), "packPaddedSequence: expected x (T, N, …), got (3)"],
    [
      "lengths",
      () => packPaddedSequence(x(), [3, 4]),
      "packPaddedSequence: expected lengths from 1 to 3, got 4 for row 1",
    ],
    ["number of lengths", () => packPaddedSequence(x(), [3]), "expected 2 lengths, one per row, got 1"],
    ["empty", () => packSequence([randn([0, 2]), randn([1, 2])]), "expected lengths from 1 to 1, got 0 for row 0"],
    [
      "total",
      () => padPackedSequence(packPaddedSequence(x(), [3, 1]), { totalLength: 2 }),
      "expected totalLength to be a whole number ≥ 3, got 2",
    ],
    [
      "lengths of what has some",
      () => new GRU(2, 3).forward(packPaddedSequence(x(), [3, 1]), undefined, { lengths: [1, 1] }),
      "GRU: expected a packed sequence alone, got one with lengths or a mask",
    ],
    [
      "something else",
      () => new GRU(2, 3).forward({ x: x() } as never),
      "GRU: expected a tensor, or a packed sequence { data, lengths }, got { x }",
    ],
    ["maskOf", () => maskOf([1, 5], 4), "maskOf: expected lengths from 0 to 4, got 5 for row 1"],
  ])("error: %s", (_, run, message) => {
    expect(run).toThrow(NNError);
    expect(run).toThrow(message);
  });
});
