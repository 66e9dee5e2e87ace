// map with every scalar function, on numbers that are easy to get wrong.

import { contiguousView, type DType, type Expr, expr as ex, type ScalarFn } from "@nn/tensor";
import { seenAs } from "../naive.js";
import { type Bench, CLOSE, describe, expectSame, naiveMap, operand, runKernel } from "./harness.js";

const { call, input, num, index, cast, bitcast } = ex;
const [INF, NAN] = [Number.POSITIVE_INFINITY, Number.NaN];
const LOW = -(2 ** 31);

/** No denormals: hardware may flush them. */
const FLOATS = [
  0,
  -0,
  1,
  -1,
  0.5,
  -0.5,
  1.5,
  2.5,
  -2.5,
  3.7,
  -3.7,
  0.25,
  8388607.5,
  -0.9999999,
  1e-10,
  1e10,
  -1e10,
  3e38,
  -3e38,
  NAN,
  INF,
  -INF,
];
/** Where the elementary functions have values worth comparing, and their limits. */
const CALM = [0, 1, -1, 0.5, -0.5, 0.1, -0.1, 1e-5, 2, -2, 3.7, -3.7, 9.9, -9.9, 30, -30, NAN, INF, -INF];
const INTS = [0, 1, -1, 2, -2, 7, -7, 12345, -12345, 2 ** 30, 2 ** 31 - 1, LOW];
const WORDS = [0, 1, 2, 7, 12345, 2 ** 31, 2 ** 32 - 1, 0x9e3779b9];

/** Exact for every backend. */
const EXACT: readonly ScalarFn[] = ["neg", "abs", "sign", "floor", "ceil", "round", "trunc"];
/** As good as f32 allows. */
const ELEMENTARY: readonly ScalarFn[] = [
  "exp",
  "expm1",
  "log",
  "log1p",
  "sqrt",
  "recip",
  "erf",
  "sigmoid",
  "sin",
  "cos",
  "tan",
  "asin",
  "acos",
  "atan",
  "sinh",
  "cosh",
  "tanh",
];
const ARITHMETIC: readonly ScalarFn[] = ["add", "sub", "mul", "max", "min"];
const COMPARE: readonly ScalarFn[] = ["lt", "le", "eq", "ne"];
const BITS: readonly ScalarFn[] = ["and", "or", "xor"];

export function scalars({ backend, test }: Bench): void {
  /** Compares a formula of up to two inputs on lists of numbers. */
  const check = async (formula: Expr, ins: readonly { dtype: DType; values: readonly number[] }[], close = 0) => {
    const shape = [ins[0]!.values.length];
    const operands = ins.map(({ dtype, values }) => operand(contiguousView({ shape, dtype }), values));
    const out = operand(contiguousView({ shape, dtype: formula.dtype }), [0]);
    const got = await runKernel(backend(), "map", operands, out, { expr: formula });
    const want = naiveMap(operands, out, { expr: formula });
    const given = ins.map(({ values }) => values.slice(0, 30).join(" ")).join(" | ");
    expectSame(seenAs(got, formula.dtype), seenAs(want, formula.dtype), `${ex.showExpr(formula)} of ${given}`, close);
  };
  const pairs = (values: readonly number[]) => [
    values.flatMap((a) => values.map(() => a)),
    values.flatMap(() => values),
  ];
  const both = async (f: ScalarFn, dtype: DType, values: readonly number[], close = 0) => {
    const [a, b] = pairs(values) as [number[], number[]];
    await check(
      call(f, input(0, dtype), input(1, dtype)),
      [
        { dtype, values: a },
        { dtype, values: b },
      ],
      close,
    );
  };

  describe("map: scalar functions", () => {
    for (const f of EXACT) {
      test(f, async () => {
        await check(call(f, input(0)), [{ dtype: "f32", values: FLOATS }]);
        await check(call(f, input(0, "i32")), [{ dtype: "i32", values: INTS }]);
        await check(call(f, input(0, "u32")), [{ dtype: "u32", values: WORDS }]);
      });
    }
    for (const f of ELEMENTARY) test(f, () => check(call(f, input(0)), [{ dtype: "f32", values: CALM }], CLOSE));

    for (const f of [...ARITHMETIC, ...COMPARE]) {
      test(f, async () => {
        await both(f, "f32", FLOATS);
        await both(f, "i32", INTS);
        await both(f, "u32", WORDS);
        await both(f, "bool", [0, 1]);
      });
    }
    for (const f of BITS) {
      test(f, async () => {
        await both(f, "i32", INTS);
        await both(f, "u32", WORDS);
        await both(f, "bool", [0, 1]);
      });
    }
    test("div", () => both("div", "f32", FLOATS, 1e-6));
    test("mod", async () => {
      await both("mod", "f32", [1, -1, 0.5, 3.75, -3.75, 7, -7, 0, INF, -INF, NAN], CLOSE);
      await both(
        "mod",
        "i32",
        INTS.filter((v) => v !== 0),
      );
      await both(
        "mod",
        "u32",
        WORDS.filter((v) => v !== 0),
      );
    });
    test("pow", async () => {
      // Not 1 or −1 to ±∞ and NaN: JavaScript says NaN where IEEE 754 says 1.
      const bases = [0, 0.5, 2, 3.3, -2, -0.5, NAN, INF];
      const exponents = [0, 1, -1, 2, 3, -2, 0.5, 1.7, -0.3];
      const [a, b] = [bases.flatMap((x) => exponents.map(() => x)), bases.flatMap(() => exponents)];
      await check(
        call("pow", input(0), input(1)),
        [
          { dtype: "f32", values: a },
          { dtype: "f32", values: b },
        ],
        CLOSE,
      );
    });
    for (const f of ["shl", "shr"] as const) {
      test(f, async () => {
        const by = Array.from({ length: 32 }, (_, i) => i);
        for (const [dtype, values] of [
          ["i32", INTS],
          ["u32", WORDS],
        ] as const) {
          const [a, b] = [values.flatMap((v) => by.map(() => v)), values.flatMap(() => by)];
          await check(call(f, input(0, dtype), input(1, dtype)), [
            { dtype, values: a },
            { dtype, values: b },
          ]);
        }
      });
    }
    test("select", async () => {
      const conditions = [0, 1, 0, 1];
      for (const dtype of ["f32", "i32", "u32", "bool"] as const) {
        const values = dtype === "bool" ? [1, 0, 0, 1] : [1, 2, 3, 4];
        await check(ex.select(input(0, "bool"), input(1, dtype), num(0, dtype)), [
          { dtype: "bool", values: conditions },
          { dtype, values },
        ]);
      }
      // The branch not taken does not matter, not even if it is NaN.
      const safe = ex.select(call("lt", num(0), input(0)), call("log", input(0)), num(0));
      await check(safe, [{ dtype: "f32", values: [-1, 1, 0, 2, NAN] }], CLOSE);
    });
    test("cast", async () => {
      const given = {
        f32: [...FLOATS, 4294967295, 4294967040, 2147483648, -2147483648, 2147483520, 0.999],
        i32: INTS,
        u32: WORDS,
        bool: [0, 1],
      };
      for (const [from, values] of Object.entries(given) as [DType, number[]][]) {
        for (const to of ["f32", "i32", "u32", "bool"] as const)
          await check(cast(input(0, from), to), [{ dtype: from, values }]);
      }
    });
    test("bitcast", async () => {
      await check(bitcast(input(0, "f32"), "i32"), [{ dtype: "f32", values: [0, -0, 1, -1, 3e38, INF, -INF] }]);
      await check(bitcast(input(0, "f32"), "u32"), [{ dtype: "f32", values: [0, -0, 1, -1, 1e-10] }]);
      await check(bitcast(input(0, "u32"), "f32"), [{ dtype: "u32", values: [0x3f800000, 0xc0490fdb, 0x7f800000, 0] }]);
      await check(bitcast(input(0, "i32"), "u32"), [{ dtype: "i32", values: INTS }]);
      await check(bitcast(call("add", bitcast(input(0), "i32"), num(1, "i32")), "f32"), [
        { dtype: "f32", values: [1, 2, 3.5] },
      ]);
    });
    test("constants", async () => {
      for (const v of [0, -0, 1.1, -1e30, INF, -INF, NAN])
        await check(call("mul", input(0), num(v)), [{ dtype: "f32", values: [1, -2, 0.3] }]);
      await check(call("add", input(0, "i32"), num(LOW, "i32")), [{ dtype: "i32", values: INTS }]);
      await check(call("xor", input(0, "u32"), num(0xdeadbeef, "u32")), [{ dtype: "u32", values: WORDS }]);
      // −0 is not 0.
      await check(call("recip", call("mul", input(0), num(-0))), [{ dtype: "f32", values: [1, -1, 2] }]);
    });
    test("shared parts", async () => {
      let e: Expr = call("add", input(0, "u32"), num(0x1bd11bda, "u32"));
      // 2³⁰ nodes as a tree, 30 as a graph.
      for (let i = 0; i < 30; i++)
        e = call("xor", call("shl", e, num(13, "u32")), call("add", e, cast(index(0), "u32")));
      await check(e, [{ dtype: "u32", values: WORDS }]);
    });
  });
}
