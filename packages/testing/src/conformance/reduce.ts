// reduce: every kind over every subset of the axes, with prologues and epilogues, of NaN, of nothing, of thousands.

import { expr as ex, findKernel, type View } from "@nn/tensor";
import {
  type Bench,
  describe,
  elements,
  expectSame,
  naiveMap,
  naiveReduce,
  type Operand,
  operand,
  runKernel,
} from "./harness.js";
import { plain, VALUES, VIEWS, view, WHOLE } from "./view-kinds.js";

const { call, input, num, index } = ex;

export function reductions({ backend, test }: Bench): void {
  const reduce = async (
    ins: readonly Operand[],
    out: View,
    attrs: Parameters<typeof naiveReduce>[2],
    what: string,
    close = 0,
  ) => {
    const to = operand(out, [99]);
    const got = await runKernel(backend(), "reduce", ins, to, attrs);
    expectSame(elements(got, out), elements(naiveReduce(ins, to, attrs), out), what, close);
  };

  describe("reduce", () => {
    const subsets = [[], [0], [1], [2], [0, 1], [0, 2], [1, 2], [0, 1, 2]];
    for (const of of ["add", "mul", "max", "min"] as const) {
      test(`reduce ${of}`, async () => {
        for (const axes of subsets) {
          const out = plain([2, 3, 4].filter((_, i) => !axes.includes(i)));
          for (const [name, v] of Object.entries(VIEWS)) {
            await reduce(
              [operand(v, [1, -2, 0.5, 3, -1, 1.5])],
              out,
              { of, axes, prologue: input(0) },
              `${name} over ${axes}`,
              1e-6,
            );
          }
          for (const dtype of ["i32", "u32"] as const) {
            const x = operand({ ...VIEWS["reversed"]!, dtype }, dtype === "i32" ? WHOLE : [3, 1, 4, 2 ** 31 + 5, 2]);
            await reduce([x], { ...out, dtype }, { of, axes, prologue: input(0, dtype) }, `${dtype} over ${axes}`);
          }
        }
      });
    }
    test("reduce of integers is modulo 2³²", async () => {
      for (const of of ["add", "mul"] as const) {
        for (const [dtype, values] of [
          ["i32", [2 ** 31 - 1, 123456789, -987654321, -7]],
          ["u32", [2 ** 32 - 1, 3, 0x9e3779b9]],
        ] as const) {
          const x = operand(plain([3, 40], dtype), values);
          await reduce([x], plain([3], dtype), { of, axes: [1], prologue: input(0, dtype) }, `${of} ${dtype}`);
        }
      }
    });
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
        const x = operand(plain([3, 4]), [
          1,
          2,
          Number.NaN,
          4,
          5,
          6,
          7,
          8,
          Number.NEGATIVE_INFINITY,
          Number.POSITIVE_INFINITY,
          1,
          2,
        ]);
        await reduce([x], plain([3]), { of, axes: [1], prologue: input(0) }, of);
        await reduce([x], plain([4]), { of, axes: [0], prologue: input(0) }, of);
      }
    });
    test("reduce of nothing", async () => {
      for (const of of ["add", "mul", "max", "min"] as const) {
        for (const dtype of ["f32", "i32", "u32"] as const) {
          await reduce(
            [operand(plain([2, 0, 3], dtype), [1])],
            plain([2, 3], dtype),
            { of, axes: [1], prologue: input(0, dtype) },
            `${of} ${dtype}`,
          );
        }
        await reduce(
          [operand(plain([2, 0, 3]), [1])],
          plain([0, 3]),
          { of, axes: [0], prologue: input(0) },
          `${of} to nothing`,
        );
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
}
