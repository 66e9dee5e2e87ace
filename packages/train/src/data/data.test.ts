import { memory, type Tensor, tensor } from "@nn/tensor";
import { describe, expect, it } from "vitest";
import { derivedSeed, randomStream, range, shuffle, threefry } from "../random.js";
import { type Batch, dispose, mapTensors, type Tensors, tensorsIn } from "../structure.js";
import { collate, concat, dataset, mapped, type SamplePart, samples, subset } from "./dataset.js";
import { batches, type Loader, loader } from "./loader.js";
import { Scaler } from "./scaler.js";
import { buckets, padded, sequences } from "./sequences.js";
import { split, splitIndices } from "./split.js";
import { stream } from "./stream.js";
import { byteVocabulary, Vocabulary } from "./vocabulary.js";
import { forecasting, windows } from "./windows.js";

const read = async (value: Tensors | undefined): Promise<any> => (value as Tensor).toArray();
const all = async (loader: Loader, epoch = 0, from = 0) => {
  const list: unknown[] = [];
  for await (const batch of loader.epoch(epoch, from)) {
    list.push(await Promise.all(batch.map(read)));
    dispose(batch);
  }
  return list;
};
/** The numbers in a structure of tensors. */
const readAll = async (value: Tensors | Batch): Promise<any> => {
  const found = new Map<Tensor, unknown>();
  for (const t of tensorsIn(value)) found.set(t, await t.toArray());
  const numbers = mapTensors(value as Tensors, (t) => found.get(t));
  dispose(value);
  return numbers;
};
const numbers = (n: number) => dataset(Int32Array.from({ length: n }, (_, i) => i));
const firsts = async (l: Loader, epoch = 0, from = 0) => (await all(l, epoch, from)).map(([x]: any) => x);

describe("random numbers", () => {
  it("are those of Threefry-2x32-20", () => {
    // The known answers of Random123's kat_vectors.
    const hex = (pair: readonly number[]) => pair.map((v) => v.toString(16));
    expect(hex(threefry([0, 0], [0, 0]))).toEqual(["6b200159", "99ba4efe"]);
    expect(hex(threefry([0xffffffff, 0xffffffff], [0xffffffff, 0xffffffff]))).toEqual(["1cb996fc", "bb002be7"]);
    expect(hex(threefry([0x13198a2e, 0x03707344], [0x243f6a88, 0x85a308d3]))).toEqual(["c4923a9c", "483df7a0"]);
  });

  it("depend on seed and stream, and shuffle evenly", () => {
    expect(randomStream(1, 2)()).toBe(randomStream(1, 2)());
    expect(new Set([randomStream(1)(), randomStream(2)(), randomStream(1, 0)(), randomStream(1, 1)()]).size).toBe(4);
    expect(derivedSeed(1, 2, 3)).toBeLessThan(2 ** 53);
    const random = randomStream(3);
    const counts = new Map<string, number>();
    for (let i = 0; i < 6000; i++) {
      const order = shuffle(range(3), random).join("");
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    for (const n of counts.values()) expect(Math.abs(n - 1000)).toBeLessThan(120);
  });
});

describe("datasets", () => {
  it("take rows from arrays and tensors", async () => {
    const pixels = { data: Uint8Array.of(0, 51, 102, 153, 204, 255), shape: [1, 2], scale: 1 / 255 };
    const data = dataset(pixels, tensor([[1], [2], [3]]), [0.5, 1, 2]);
    const [x, y, w] = await data.batch(Uint32Array.of(2, 0));
    expect(data.length).toBe(3);
    expect((x as Tensor).shape).toEqual([2, 1, 2]);
    expect((await read(x)).flat(2).map((v: number) => v.toFixed(2))).toEqual(["0.80", "1.00", "0.00", "0.20"]);
    expect([await read(y), await read(w)]).toEqual([
      [[3], [1]],
      [2, 0.5],
    ]);
    expect(((await dataset(Int32Array.of(1)).batch(Uint32Array.of(0))) as any)[0].dtype).toBe("i32");
  });

  it("take structures of columns, and other datasets as columns", async () => {
    const left = tensor([[1], [2], [3]]);
    const right = { data: Uint8Array.of(4, 5, 6), scale: 2 };
    const y = { boxes: [[1, 1], [2, 2], [3, 3]], parts: [{ data: Int32Array.of(7, 8, 9) }, numbers(3)] }; // biome-ignore format: a table
    const data = dataset({ left, right, later: samples(3, async (i) => [i * 10, i]) }, y, [1, 2, 3]);
    const batch = await data.batch(Uint32Array.of(2, 0));
    expect(await readAll(batch)).toEqual([
      { left: [[3], [1]], right: [12, 8], later: [20, 0] },
      { boxes: [[3, 3], [1, 1]], parts: [[9, 7], [2, 0]] },
      [3, 1],
    ]); // biome-ignore format: a table
    expect(await readAll(await dataset([left, right]).batch(Uint32Array.of(1)))).toEqual([[[[2]], [10]]]);
    // What comes twice in a batch is not let go with what nobody asked for.
    const twins = mapped(numbers(3), ([x]) => [x, x]);
    expect(await readAll(await dataset({ twins }).batch(Uint32Array.of(1)))).toEqual([{ twins: [1] }]);
    const kept = memory().tensors;
    for (let i = 0; i < 3; i++) dispose(await data.batch(Uint32Array.of(1)));
    expect(memory().tensors).toBeLessThanOrEqual(kept);
    const both = concat(data, subset(data, [0]));
    expect(await readAll((await both.batch(Uint32Array.of(3, 1)))[0])).toEqual({
      left: [[1], [2]],
      right: [8, 10],
      later: [0, 10],
    });
  });

  it("call functions for samples, and put them together", async () => {
    const data = samples(3, async (i) => [Float32Array.of(i, i + 0.5), i, [[i]]], { dtypes: [undefined, "i32"] });
    const batch = (await data.batch(Uint32Array.of(1, 2))) as readonly Tensor[];
    expect(batch.map((t) => t.dtype)).toEqual(["f32", "i32", "f32"]);
    expect(await Promise.all(batch.map(read))).toEqual([
      [
        [1, 1.5],
        [2, 2.5],
      ],
      [1, 2],
      [[[1]], [[2]]],
    ]);
    const shaped = collate([
      [{ data: Float32Array.of(1, 2), shape: [2, 1] }],
      [{ data: Float32Array.of(3, 4), shape: [2, 1] }],
    ]);
    expect(await read(shaped[0])).toEqual([
      [[1], [2]],
      [[3], [4]],
    ]);
    expect(await read(collate([[tensor([1, 2])], [tensor([3, 4])]])[0])).toEqual([
      [1, 2],
      [3, 4],
    ]);
    const sample = (i: number): SamplePart[] => [
      { image: Float32Array.of(i), at: [tensor(i), { data: Int32Array.of(i) }] },
      { is: i },
    ];
    const [x, y] = collate([sample(1), sample(2)], { dtypes: [undefined, { is: "i32" }] });
    expect(await readAll(x)).toEqual({ image: [[1], [2]], at: [[1, 2], [[1], [2]]] }); // biome-ignore format: a table
    expect((y as { is: Tensor }).is.dtype).toBe("i32");
    const [, all] = collate([sample(1)], { dtypes: [undefined, "u32"] });
    expect((all as { is: Tensor }).is.dtype).toBe("u32");
  });

  it("are chosen from, changed and joined", async () => {
    const odd = subset(numbers(10), [1, 3, 5]);
    expect(await firsts(loader(subset(odd, [2, 0])))).toEqual([[5, 1]]);
    const doubled = mapped(odd, ([x]) => [(x as Tensor).mul(2)]);
    expect(await firsts(loader(doubled))).toEqual([[2, 6, 10]]);
    expect(await firsts(loader(concat(odd, numbers(2)), { batchSize: 4 }))).toEqual([[1, 3, 5, 0], [1]]);
  });

  it("say what is wrong", async () => {
    expect(() => dataset([1, 2], [1])).toThrow("dataset: expected 2 rows in every column, as in x, got 1 in y");
    const boxes = { boxes: [[1], [2]], classes: [3] };
    expect(() => dataset([1, 2], boxes)).toThrow("2 rows in every column, as in y.boxes, got 1 in y.classes");
    expect(() => dataset([1], undefined, [1])).toThrow("expected targets y before the weights, got none");
    expect(() => dataset({})).toThrow("at least one column in x, got none");
    expect(() => dataset([Float32Array.of(1), Float32Array.of(2)])).toThrow("typed arrays, which may be either");
    const named = { data: Float32Array.of(1), mask: Float32Array.of(1) };
    expect(() => dataset(named as never)).toThrow("no part may be called data");
    expect(() => dataset({ data: [1, 2], shape: [] } as never)).toThrow("got something else in data");
    expect(() => dataset({ data: Float32Array.of(1, 2, 3), shape: [2] })).toThrow(
      "whole samples (2), 2 numbers each, got 3",
    );
    expect(() => dataset(tensor(1))).toThrow("tensors (N, …), got a scalar");
    expect(() => numbers(3).batch(Uint32Array.of(3))).toThrow("sample numbers below 3, got 3");
    expect(() => subset(numbers(3), [5])).toThrow("below 3, got 5");
    expect(() => collate([[Float32Array.of(1)], [Float32Array.of(1, 2)]])).toThrow("Use sequences()");
    expect(() => collate([])).toThrow("samples [x], [x, y]");
  });
});

describe("loader", () => {
  it("cuts in order, the last batch smaller or dropped", async () => {
    expect(await firsts(loader(numbers(5), { batchSize: 2 }))).toEqual([[0, 1], [2, 3], [4]]);
    expect(await firsts(loader(numbers(5), { batchSize: 2, dropLast: true }))).toEqual([
      [0, 1],
      [2, 3],
    ]);
    expect(loader(numbers(5), { batchSize: 2 }).length).toBe(3);
  });

  it("shuffles: each epoch in its order, the same for the same seed, and from any place", async () => {
    const options = { batchSize: 4, shuffle: true, seed: 7 };
    const l = loader(numbers(10), options);
    const first = await firsts(l, 0);
    expect(first.flat().sort((a, b) => a - b)).toEqual([...range(10)]);
    expect(await firsts(loader(numbers(10), { ...options, prefetch: 3 }), 0)).toEqual(first);
    expect(await firsts(l, 1)).not.toEqual(first);
    expect(await firsts(loader(numbers(10), { ...options, seed: 8 }), 0)).not.toEqual(first);
    expect(await firsts(l, 0, 2)).toEqual(first.slice(2));
    expect(await firsts(l, 0, 3)).toEqual([]);
  });

  it("maps with random numbers of the place", async () => {
    const l = loader(numbers(6), {
      batchSize: 2,
      prefetch: 2,
      map: ([x], { random }) => [(x as Tensor).add(random())],
    });
    const whole = await firsts(l, 3);
    expect(await firsts(l, 3, 1)).toEqual(whole.slice(1));
    expect(await firsts(l, 4)).not.toEqual(whole);
  });

  it("makes batches ahead, and frees those that nobody takes", async () => {
    let made = 0;
    const data = samples(10, async (i) => {
      made++;
      return [Float32Array.of(i)];
    });
    (globalThis as { gc?: () => void }).gc?.();
    await new Promise((resolve) => setTimeout(resolve, 10)); // what other tests have left is gone
    const before = memory().tensors;
    for await (const batch of loader(data, { batchSize: 1, prefetch: 3 }).epoch(0)) {
      dispose(batch);
      break;
    }
    expect(made).toBe(4);
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(memory().tensors).toBeLessThanOrEqual(before);
  });

  it("throws what went wrong in its place", async () => {
    const data = samples(4, (i) => {
      if (i === 2) throw new Error("no such file");
      return [[i]];
    });
    const seen: unknown[] = [];
    const go = async () => {
      for await (const [x] of loader(data, { batchSize: 1, prefetch: 3 }).epoch(0)) seen.push(await read(x));
    };
    await expect(go()).rejects.toThrow("no such file");
    expect(seen).toEqual([[[0]], [[1]]]);
    expect(() => loader(numbers(0))).toThrow("loader: expected samples, got none");
    expect(() => loader(numbers(3), { batchSize: 0 })).toThrow("batchSize to be a whole number, 1 or more");
  });

  it("gives ready batches, and leaves them alive", async () => {
    const list: Batch[] = [[tensor([1]), tensor([2])], [tensor([3])]];
    const l = batches(list);
    expect(await all(l)).toEqual([[[1], [2]], [[3]]]);
    expect(await all(l, 1, 1)).toEqual([[[3]]]);
  });
});

describe("stream", () => {
  const source = function* (epoch: number) {
    for (let i = 0; i < 10; i++) yield [10 * epoch + i];
  };
  it("batches what comes, shuffles in a buffer, and goes to any place", async () => {
    expect(await firsts(stream(source, { batchSize: 4 }))).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
      [8, 9],
    ]);
    expect(await firsts(stream(source, { batchSize: 4, dropLast: true }))).toHaveLength(2);
    const mixed = stream(source, { batchSize: 4, shuffle: 5, seed: 1 });
    const whole = await firsts(mixed, 2);
    expect(whole.flat().toSorted((a, b) => a - b)).toEqual([...range(10)].map((i) => 20 + i));
    expect(whole.flat()).not.toEqual(whole.flat().toSorted((a, b) => a - b));
    expect(await firsts(mixed, 2, 1)).toEqual(whole.slice(1));
    expect(whole[0].every((v: number) => v < 29)).toBe(true); // the last cannot come first
  });
  it("takes async iterables", async () => {
    const later = async function* () {
      for (let i = 0; i < 3; i++) yield [[i], i];
    };
    expect(await all(stream(later, { batchSize: 2 }))).toEqual([
      [
        [[0], [1]],
        [0, 1],
      ],
      [[[2]], [2]],
    ]);
  });
});

describe("split", () => {
  it("is seeded, and parts nothing twice", async () => {
    const [a, b] = splitIndices(100, 0.2, { seed: 3 });
    expect([a.length, b.length]).toEqual([80, 20]);
    expect([...a, ...b].sort((i, j) => i - j)).toEqual([...range(100)]);
    expect(splitIndices(100, 0.2, { seed: 3 })[1]).toEqual(b);
    expect(splitIndices(100, 0.2, { seed: 4 })[1]).not.toEqual(b);
    expect([...splitIndices(5, 0.4, { shuffle: false })[1]]).toEqual([3, 4]);
    const [rest, part] = split(numbers(10), 0.3);
    expect([rest.length, part.length]).toEqual([7, 3]);
  });
  it("keeps the shares of classes", () => {
    const classes = Array.from({ length: 50 }, (_, i) => (i < 30 ? "a" : i < 45 ? "b" : "c"));
    const [, part] = splitIndices(50, 0.2, { stratify: classes });
    const count = (c: string) => [...part].filter((i) => classes[i] === c).length;
    expect(["a", "b", "c"].map(count)).toEqual([6, 3, 1]);
    // Classes of two each: the whole is a fifth, too.
    expect(splitIndices(20, 0.2, { stratify: Array.from({ length: 20 }, (_, i) => i >> 1) })[1]).toHaveLength(4);
  });
  it("says what is wrong", () => {
    expect(() => splitIndices(3, 0.1)).toThrow("samples in both parts, got 3 and 0 of 3");
    expect(() => splitIndices(3, 1.1)).toThrow("the share from 0 to 1, got 1.1");
    expect(() => splitIndices(3, 0.5, { stratify: [1] })).toThrow("stratify with 3 classes");
  });
});

describe("series", () => {
  const series = { data: Float32Array.from({ length: 20 }, (_, i) => i), features: 2 }; // rows (0, 1), (2, 3), …
  it("windows", async () => {
    const data = windows(series, { inputLength: 3, horizon: 2, stride: 2, targets: [1] });
    expect(data.length).toBe(3);
    const [x, y] = await data.batch(Uint32Array.of(1));
    expect(await read(x)).toEqual([
      [
        [4, 5],
        [6, 7],
        [8, 9],
      ],
    ]);
    expect(await read(y)).toEqual([[[11], [13]]]);
    expect(() => windows(series, { inputLength: 9, horizon: 2 })).toThrow(
      "at least 11 rows, for an input and a horizon, got 10",
    );
    expect(() => windows(series, { inputLength: 1, horizon: 1, targets: [2] })).toThrow(
      "targets among the features 0 to 1",
    );
  });
  it("in the order of time, scaled by the training part", async () => {
    const { train, validation, test, scaler } = forecasting(series, {
      inputLength: 2,
      horizon: 1,
      split: [0.6, 0.2, 0.2],
    });
    expect([train.length, validation.length, test.length]).toEqual([4, 2, 2]);
    // Rows 0 to 5: mean 5 and 6, deviation √(35/12) · 2.
    expect(scaler!.shift).toEqual([5, 6]);
    expect(scaler!.scale[0]).toBeCloseTo(Math.sqrt(35 / 12) * 2, 12);
    const [x, y] = await test.batch(Uint32Array.of(0)); // its input reaches back, its target is the first of the part
    const back = (t: Tensors | undefined) => read(scaler!.inverse(t as Tensor));
    const close = (got: any, want: number[]) => {
      for (const [i, v] of got.flat(2).entries()) expect(v).toBeCloseTo(want[i], 4);
    };
    close(await back(x), [12, 13, 14, 15]);
    close(await back(y), [16, 17]);
    expect(() => forecasting(series, { inputLength: 2, horizon: 1, split: [8, 2, 2] })).toThrow(
      "three numbers of the 10 rows",
    );
  });
  it("ETT's parts, as everybody cuts them", () => {
    const ett = { data: new Float32Array(17420), features: 1 };
    const { train, validation, test } = forecasting(ett, { inputLength: 96, horizon: 24, split: [8640, 2880, 2880] });
    expect([train.length, validation.length, test.length]).toEqual([8640 - 96 - 24 + 1, 2880 - 24 + 1, 2880 - 24 + 1]);
  });
  it("scalers are saved, undone, and right for constants", async () => {
    const rows = { data: [1, 5, 3, 5, 2, 5], features: 2 };
    const scaler = Scaler.minMax(rows, { low: -1, high: 1 });
    expect([...scaler.transform(rows).data]).toEqual([-1, -1, 1, -1, 0, -1]);
    const again = Scaler.from(JSON.parse(JSON.stringify(scaler)));
    expect(again).toEqual(scaler);
    expect([...again.inverse(scaler.transform(rows).data)]).toEqual(rows.data);
    expect([...Scaler.standard(rows).transform(rows).data].filter((_, i) => i % 2)).toEqual([0, 0, 0]);
    expect(scaler.select([1]).shift).toEqual([scaler.shift[1]]);
    expect(() => scaler.transform({ data: [1], features: 1 })).toThrow("2 features in the last axis, got 1");
    expect(() => Scaler.from({ shift: [1], scale: [] })).toThrow("as many numbers of each");
  });
});

describe("sequences", () => {
  const list = [[1, 2, 3], [4], [5, 6]].map((s) => Int32Array.from(s));
  it("are padded to the longest of their batch", async () => {
    const data = sequences(list, Int32Array.of(7, 8, 9), { padding: -1, multiple: 2 });
    const [x, y] = (await data.batch(Uint32Array.of(0, 1))) as any;
    expect(x.values.dtype).toBe("i32");
    expect(await read(x.values)).toEqual([
      [1, 2, 3, -1],
      [4, -1, -1, -1],
    ]);
    expect([await read(x.lengths), await read(y)]).toEqual([
      [3, 1],
      [7, 8],
    ]);
    const [short] = (await data.batch(Uint32Array.of(1, 2))) as any;
    expect(short.values.shape).toEqual([2, 2]);
    const steps = sequences(
      [
        [1, 2, 3, 4],
        [5, 6],
      ],
      undefined,
      { features: 2 },
    );
    expect(((await steps.batch(Uint32Array.of(0, 1))) as any)[0].values.shape).toEqual([2, 2, 2]);
    expect(() => sequences([[]])).toThrow("at least one, got 0 numbers in number 0");
    expect(() => sequences(list, Int32Array.of(1))).toThrow("3 rows in every column, as in x, got 1 in y");
  });
  it("have targets that are sequences: of their length, or of lengths of their own", async () => {
    const tags = list.map((s) => s.map((v) => v + 10));
    const tagged = sequences(list, padded(tags, { padding: -100, multiple: 2 }), { multiple: 2 });
    expect(await readAll(await tagged.batch(Uint32Array.of(1, 0)))).toEqual([
      { values: [[4, 0, 0, 0], [1, 2, 3, 0]], lengths: [1, 3] },
      [[14, -100, -100, -100], [11, 12, 13, -100]],
    ]); // biome-ignore format: a table
    const other = [[7, 8], [9], [5, 6, 7, 8]];
    const spoken = sequences(list, sequences(other, undefined, { padding: -1, dtype: "i32" }));
    const [, y] = (await spoken.batch(Uint32Array.of(1, 0))) as any;
    expect(y.values.dtype).toBe("i32");
    expect(await readAll(y)).toEqual({ values: [[9, -1], [7, 8]], lengths: [1, 2] }); // biome-ignore format: a table
    const pair = dataset({ source: sequences(list), before: padded(other) }, { words: padded(other, { multiple: 3 }) });
    const [x, { words }] = (await pair.batch(Uint32Array.of(0, 1))) as any;
    expect([x.source.values.shape, x.before.shape, words.shape]).toEqual([[2, 3], [2, 2], [2, 3]]); // biome-ignore format: a table
    expect(() => padded([Uint8Array.of(1)], { padding: -100 })).toThrow("padding that a Uint8Array can hold, got -100");
    expect(() => sequences(list, padded([[1]]))).toThrow("got 1 in y");
  });
  it("are put together by length", async () => {
    const lengths = Array.from({ length: 100 }, (_, i) => 1 + ((i * 37) % 50));
    const of = buckets(lengths, { batchSize: 8, seed: 2 });
    const batchesOf = of(0);
    expect(batchesOf.flatMap((b) => [...b]).sort((a, b) => a - b)).toEqual([...range(100)]);
    expect(of(0)).toEqual(batchesOf);
    expect(of(1)).not.toEqual(batchesOf);
    const padding = (b: Uint32Array) =>
      [...b].reduce((sum, i) => sum + Math.max(...[...b].map((j) => lengths[j])) - lengths[i], 0);
    const random = loader(numbers(100), { batchSize: 8, shuffle: true });
    const unsorted = (await firsts(random)).map((b) => padding(Uint32Array.from(b)));
    const sum = (list: number[]) => list.reduce((a, b) => a + b, 0);
    expect(sum(batchesOf.map(padding))).toBeLessThan(sum(unsorted) / 4);
    expect(loader(numbers(100), { batches: of }).length).toBe(13);
  });
});

describe("vocabularies", () => {
  it("of words", () => {
    const v = Vocabulary.of(["A cat, a dog.", "the cat"], { maxSize: 5 });
    expect(v.tokens).toEqual(["<pad>", "<unk>", "a", "cat", ","]);
    expect([...v.encode("a bird, a cat")]).toEqual([2, 1, 4, 2, 3]);
    expect(v.decode([2, 3])).toBe("a cat");
    expect(Vocabulary.from(JSON.parse(JSON.stringify(v))).encode("cat")).toEqual(v.encode("cat"));
    expect(Vocabulary.of(["a a b"], { minCount: 2, special: [] }).tokens).toEqual(["a"]);
  });
  it("of what white space parts, as it is", () => {
    const v = Vocabulary.of(["The cat , The  dog .\n"], { by: "whitespace" });
    expect(v.tokens).toEqual(["<pad>", "<unk>", "The", ",", ".", "cat", "dog"]);
    expect([...v.encode(" The cat, the")]).toEqual([2, 1, 1]);
    expect(Vocabulary.from(JSON.parse(JSON.stringify(v))).decode([2, 5, 4])).toBe("The cat .");
    expect(() => Vocabulary.of([], { by: "sentence" as "word" })).toThrow(
      'by "word", "whitespace" or "character", got sentence',
    );
  });
  it("of characters and bytes", () => {
    const v = Vocabulary.of(["hé😀h"], { by: "character", special: [] });
    expect(v.decode(v.encode("😀éh"))).toBe("😀éh");
    expect(() => v.encode("x")).toThrow('a token that is in the vocabulary, got "x"');
    expect(() => v.decode([9])).toThrow("numbers from 0 to 2, got 9");
    expect([...byteVocabulary.encode("é")]).toEqual([195, 169]);
    expect(byteVocabulary.decode(byteVocabulary.encode("naïve 😀"))).toBe("naïve 😀");
  });
});
