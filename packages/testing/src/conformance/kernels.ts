// The floor kernels over views of every kind: strided, reversed, broadcast, overlapping, empty, larger than a block.

import { contiguousView, type DType, expr as ex, findKernel, NNError, sizeOf, type View } from "@nn/tensor";
import { coordinates, type Memory, place, seenAs } from "../naive.js";
import { type Bench, describe, elements, expect, expectSame, naiveMap, naiveReduce, type Operand, operand, runKernel, valueAt } from "./harness.js";

const { call, input, num, index, cast } = ex;

const view = (shape: number[], strides: number[], offset = 0, dtype: DType = "f32"): View => ({ shape, strides, offset, dtype });
const plain = (shape: number[], dtype: DType = "f32"): View => contiguousView({ shape, dtype });
const VALUES = [1, -2, 3, 0.5, -7, 11, 2.25, -0.75, 13, 4, -5, 6.5, 8];
const WHOLE = [1, -2, 3, 5, -7, 11, 2, 0, 13, 4, -5, 6, 8];

/** Views of the shape (2, 3, 4), in memory that is larger. */
const VIEWS: Record<string, View> = {
  contiguous: plain([2, 3, 4]),
  "with an offset": view([2, 3, 4], [12, 4, 1], 5),
  permuted: view([2, 3, 4], [1, 2, 6]),
  reversed: view([2, 3, 4], [-12, 4, -1], 15),
  "every other": view([2, 3, 4], [48, 16, 2], 1),
  "one row repeated": view([2, 3, 4], [0, 0, 1], 2),
  "one column repeated": view([2, 3, 4], [12, 4, 0]),
  "one number": view([2, 3, 4], [0, 0, 0], 3),
  windows: view([2, 3, 4], [2, 1, 1], 1),
};
/** Those that meet every element once: the ones an output may have. */
const OUTPUTS = ["contiguous", "with an offset", "permuted", "reversed", "every other"];

export function kernels({ backend, test }: Bench): void {
  const map = async (ins: readonly Operand[], out: Operand, attrs: Parameters<typeof naiveMap>[2], what: string, close = 0) => {
    const got = await runKernel(backend(), "map", ins, out, attrs);
    expectSame(seenAs(got, out.view.dtype), seenAs(naiveMap(ins, out, attrs), out.view.dtype), what, close);
  };
  const reduce = async (ins: readonly Operand[], out: View, attrs: Parameters<typeof naiveReduce>[2], what: string, close = 0) => {
    const to = operand(out, [99]);
    const got = await runKernel(backend(), "reduce", ins, to, attrs);
    expectSame(elements(got, out), elements(naiveReduce(ins, to, attrs), out), what, close);
  };

  describe("map: views", () => {
    test("views", async () => {
      for (const [a, va] of Object.entries(VIEWS)) {
        for (const b of OUTPUTS) {
          const [x, y] = [operand(va, VALUES), operand(VIEWS["permuted"]!, VALUES)];
          const formula = call("sub", input(0), call("mul", input(1), num(2)));
          await map([x, y], operand(VIEWS[b]!, [99], 100), { expr: formula }, `${a} → ${b}`);
        }
      }
    });
    test("dtypes", async () => {
      for (const dtype of ["i32", "u32", "bool"] as const) {
        const x = operand({ ...VIEWS["reversed"]!, dtype }, dtype === "bool" ? [0, 1, 1] : [1, 2, 3, 4, 5]);
        await map([x], operand({ ...VIEWS["every other"]!, dtype }, [0], 100), { expr: input(0, dtype) }, dtype);
      }
    });
    test("coordinates", async () => {
      // The logical ones, wherever the elements lie.
      const formula = call("add", call("mul", index(0), num(100, "i32")), call("add", call("mul", index(1), num(10, "i32")), index(2)));
      for (const b of OUTPUTS) {
        await map([], operand({ ...VIEWS[b]!, dtype: "i32" }, [99], 100), { expr: formula }, b);
        const used = call("add", cast(formula, "f32"), input(0));
        await map([operand(VIEWS["permuted"]!, VALUES)], operand(VIEWS[b]!, [99], 100), { expr: used }, b);
      }
    });
    test("accumulate", async () => {
      for (const [dtype, values] of [["f32", [1.5, 2, -3, 0.25]], ["i32", [1, 2, -3, 100]]] as const) {
        const typed = (v: View): View => ({ ...v, dtype });
        // Windows of 3 over 6 elements: most of them meet several windows.
        const windows = operand(typed(view([4, 3], [1, 1])), [10, 20, 30], 7);
        await map([operand(typed(plain([4, 3])), values)], windows, { expr: input(0, dtype), accumulate: true }, "windows");
        const one = operand(typed(view([5, 4], [0, 0], 1)), [7], 3);
        await map([operand(typed(plain([5, 4])), values)], one, { expr: input(0, dtype), accumulate: true }, "all into one");
        const rows = operand(typed(view([3, 4], [0, -1], 3)), [1], 4);
        await map([operand(typed(view([3, 4], [1, 3])), values)], rows, { expr: input(0, dtype), accumulate: true }, "reversed rows");
        await map([operand(typed(plain([6])), values)], operand(typed(plain([6])), [5]), { expr: input(0, dtype), accumulate: true }, "plainly");
      }
    });
    test("sizes", async () => {
      await map([], operand(plain([]), [99]), { expr: num(3) }, "a scalar");
      await map([operand(plain([0, 3]), [1])], operand(plain([0, 3]), [99]), { expr: input(0) }, "nothing");
      const long = [3, 1, 2, 1000];
      const x = operand(view(long, [2000, 0, 1000, 1], 1), VALUES);
      await map([x, operand(view(long, [1, 0, 3, 6]), VALUES)], operand(plain(long), [0]), { expr: call("add", input(0), input(1)) }, "thousands");
    });
    test("many inputs", async () => {
      const list = Object.values(VIEWS).slice(0, 7).map((v) => operand(v, VALUES));
      const sum = list.map((_, i) => call("mul", input(i), num(2 ** i))).reduce((a, b) => call("add", a, b));
      await map(list, operand(plain([2, 3, 4]), [0]), { expr: sum }, "seven inputs");
    });
  });

  describe("reduce", () => {
    const subsets = [[], [0], [1], [2], [0, 1], [0, 2], [1, 2], [0, 1, 2]];
    for (const of of ["add", "mul", "max", "min"] as const) {
      test(`reduce ${of}`, async () => {
        for (const axes of subsets) {
          const out = plain([2, 3, 4].filter((_, i) => !axes.includes(i)));
          for (const [name, v] of Object.entries(VIEWS)) {
            await reduce([operand(v, [1, -2, 0.5, 3, -1, 1.5])], out, { of, axes, prologue: input(0) }, `${name} over ${axes}`, 1e-6);
          }
          for (const dtype of ["i32", "u32"] as const) {
            const x = operand({ ...VIEWS["reversed"]!, dtype }, dtype === "i32" ? WHOLE : [3, 1, 4, 2 ** 31 + 5, 2]);
            // Products of u32 leave 53 bits: no backend owes them.
            if (of !== "mul" || dtype === "i32") await reduce([x], { ...out, dtype }, { of, axes, prologue: input(0, dtype) }, `${dtype} over ${axes}`);
          }
        }
      });
    }
    test("reduce with a prologue", async () => {
      const [x, y] = [operand(VIEWS["permuted"]!, VALUES), operand(VIEWS["reversed"]!, VALUES)];
      const product = call("mul", input(0), call("add", input(1), num(1)));
      for (const axes of subsets) {
        const out = plain([2, 3, 4].filter((_, i) => !axes.includes(i)));
        await reduce([x, y], out, { of: "add", axes, prologue: product }, `product over ${axes}`, 1e-6);
        const where = ex.select(call("lt", input(0), num(0)), index(axes[0] ?? 0), num(1000, "i32"));
        await reduce([x], { ...out, dtype: "i32" }, { of: "min", axes, prologue: where }, `first below 0 over ${axes}`);
      }
    });
    test("reduce of NaN", async () => {
      for (const of of ["add", "mul", "max", "min"] as const) {
        const x = operand(plain([3, 4]), [1, 2, Number.NaN, 4, 5, 6, 7, 8, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, 1, 2]);
        await reduce([x], plain([3]), { of, axes: [1], prologue: input(0) }, of);
        await reduce([x], plain([4]), { of, axes: [0], prologue: input(0) }, of);
      }
    });
    test("reduce of nothing", async () => {
      for (const of of ["add", "mul", "max", "min"] as const) {
        for (const dtype of ["f32", "i32", "u32"] as const) {
          await reduce([operand(plain([2, 0, 3], dtype), [1])], plain([2, 3], dtype), { of, axes: [1], prologue: input(0, dtype) }, `${of} ${dtype}`);
        }
        await reduce([operand(plain([2, 0, 3]), [1])], plain([0, 3]), { of, axes: [0], prologue: input(0) }, `${of} to nothing`);
      }
    });
    test("reduce of thousands", async () => {
      const x = operand(view([3, 5, 300], [1, 900, 3]), VALUES);
      for (const axes of [[2], [0], [0, 1, 2], [1]]) {
        const out = plain([3, 5, 300].filter((_, i) => !axes.includes(i)));
        await reduce([x], out, { of: "add", axes, prologue: input(0) }, `over ${axes}`, 1e-5);
        await reduce([x], out, { of: "max", axes, prologue: input(0) }, `over ${axes}`);
      }
    });
    test("epilogue", async () => {
      const attrs = { of: "add", axes: [1], prologue: input(0) } as const;
      const [x, y] = [operand(VIEWS["permuted"]!, VALUES), operand(view([2, 4], [0, 1]), VALUES)];
      const out = operand(plain([2, 4]), [99]);
      const signature = { ins: [x.view], outs: [out.view], attrs };
      if (!findKernel(backend(), "reduce", signature)?.fusesEpilogue) return; // then it is never given one
      const epilogue = { expr: call("add", call("mul", input(0), num(0.5)), input(1)), extra: 1 };
      const got = await runKernel(backend(), "reduce", [x, y], out, attrs, epilogue);
      const sums: Operand = { view: out.view, memory: naiveReduce([x], out, attrs) };
      expectSame(elements(got, out.view), elements(naiveMap([sums, y], out, epilogue), out.view), "sum / 2 + y", 1e-6);
    });
  });

  describe("gather and scatterAdd", () => {
    const shape = [3, 4, 2];
    /** An index along an axis, with each position met, some of them twice. */
    const indexOf = (axis: number, dtype: DType) => operand(view(shape.with(axis, 5), strides(shape.with(axis, 5)).map((s) => s * 2), 1, dtype), [0, 2, 1, 0].map((i) => i % shape[axis]!));
    for (const dtype of ["f32", "i32"] as const) {
      for (const indexType of ["i32", "u32"] as const) {
        test(`gather ${dtype} by ${indexType}`, async () => {
          for (const axis of [0, 1, 2]) {
            const x = operand(view(shape, [1, 3, 12], 2, dtype), dtype === "f32" ? VALUES : WHOLE);
            const i = indexOf(axis, indexType);
            const out = operand(plain(i.view.shape as number[], dtype), [99]);
            const got = await runKernel(backend(), "gather", [x, i], out, { axis });
            const want = coordinates(out.view.shape).map((at) => valueAt(x, at.with(axis, valueAt(i, at))));
            expectSame(elements(got, out.view), want, `axis ${axis}`);
          }
        });
        test(`scatterAdd ${dtype} by ${indexType}`, async () => {
          for (const axis of [0, 1, 2]) {
            const i = indexOf(axis, indexType);
            const source = operand(view(i.view.shape as number[], strides(i.view.shape).map((s) => -s), sizeOf(i.view.shape) - 1, dtype), dtype === "f32" ? VALUES : WHOLE);
            const out = operand(plain(shape, dtype), [99]);
            const got = await runKernel(backend(), "scatterAdd", [i, source], out, { axis });
            const want = new Array<number>(sizeOf(shape)).fill(0);
            for (const at of coordinates(i.view.shape)) want[place(out.view, at.with(axis, valueAt(i, at)))]! += valueAt(source, at);
            expectSame(elements(got, out.view), want, `axis ${axis}`, 1e-6);
          }
        });
      }
    }
    test("gather of nothing", async () => {
      const got = await runKernel(backend(), "gather", [operand(plain([3, 2]), VALUES), operand(plain([0, 2], "i32"), [0])], operand(plain([0, 2]), [99]), { axis: 0 });
      expect(elements(got, plain([0, 2])).length).toBe(0);
      const zeros = await runKernel(backend(), "scatterAdd", [operand(plain([0, 2], "i32"), [0]), operand(plain([0, 2]), [1])], operand(plain([3, 2]), [99]), { axis: 0 });
      expectSame(elements(zeros, plain([3, 2])), [0, 0, 0, 0, 0, 0], "scatterAdd of nothing");
    });
    test("an index out of range", async () => {
      const at = operand(plain([4], "i32"), [1, 5, -1, 0]);
      const run = async (op: string, ins: readonly Operand[], out: View, want: number[]) => {
        let got: Memory;
        try {
          got = await runKernel(backend(), op, ins, operand(out, [99]), { axis: 0 });
        } catch (e) {
          expect(e).toBeInstanceOf(NNError); // a backend that can tell
          return;
        }
        expectSame(elements(got, out), want, op); // else it reads 0 and writes nothing
      };
      await run("gather", [operand(plain([3]), [10, 20, 30]), at], plain([4]), [20, 0, 0, 10]);
      await run("scatterAdd", [at, operand(plain([4]), [1, 2, 3, 4])], plain([3]), [4, 1, 0]);
    });
  });
}

function strides(shape: readonly number[]): number[] {
  return [...plain([...shape]).strides];
}
