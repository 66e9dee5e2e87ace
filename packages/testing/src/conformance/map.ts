// map over views of every kind, with coordinates, accumulating, empty, larger than a block.

import { expr as ex, type View } from "@nn/tensor";
import { seenAs } from "../naive.js";
import { type Bench, describe, expectSame, naiveMap, type Operand, operand, runKernel } from "./harness.js";
import { OUTPUTS, plain, VALUES, VIEWS, view } from "./view-kinds.js";

const { call, input, num, index, cast } = ex;

export function maps({ backend, test }: Bench): void {
  const map = async (
    ins: readonly Operand[],
    out: Operand,
    attrs: Parameters<typeof naiveMap>[2],
    what: string,
    close = 0,
  ) => {
    const got = await runKernel(backend(), "map", ins, out, attrs);
    expectSame(seenAs(got, out.view.dtype), seenAs(naiveMap(ins, out, attrs), out.view.dtype), what, close);
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
      const formula = call(
        "add",
        call("mul", index(0), num(100, "i32")),
        call("add", call("mul", index(1), num(10, "i32")), index(2)),
      );
      for (const b of OUTPUTS) {
        await map([], operand({ ...VIEWS[b]!, dtype: "i32" }, [99], 100), { expr: formula }, b);
        const used = call("add", cast(formula, "f32"), input(0));
        await map([operand(VIEWS["permuted"]!, VALUES)], operand(VIEWS[b]!, [99], 100), { expr: used }, b);
      }
    });
    test("accumulate", async () => {
      for (const [dtype, values] of [
        ["f32", [1.5, 2, -3, 0.25]],
        ["i32", [1, 2, -3, 100]],
      ] as const) {
        const typed = (v: View): View => ({ ...v, dtype });
        // Windows of 3 over 6 elements: most of them meet several windows.
        const windows = operand(typed(view([4, 3], [1, 1])), [10, 20, 30], 7);
        await map(
          [operand(typed(plain([4, 3])), values)],
          windows,
          { expr: input(0, dtype), accumulate: true },
          "windows",
        );
        const one = operand(typed(view([5, 4], [0, 0], 1)), [7], 3);
        await map(
          [operand(typed(plain([5, 4])), values)],
          one,
          { expr: input(0, dtype), accumulate: true },
          "all into one",
        );
        const rows = operand(typed(view([3, 4], [0, -1], 3)), [1], 4);
        await map(
          [operand(typed(view([3, 4], [1, 3])), values)],
          rows,
          { expr: input(0, dtype), accumulate: true },
          "reversed rows",
        );
        await map(
          [operand(typed(plain([6])), values)],
          operand(typed(plain([6])), [5]),
          { expr: input(0, dtype), accumulate: true },
          "plainly",
        );
      }
    });
    test("sizes", async () => {
      await map([], operand(plain([]), [99]), { expr: num(3) }, "a scalar");
      await map([operand(plain([0, 3]), [1])], operand(plain([0, 3]), [99]), { expr: input(0) }, "nothing");
      const long = [3, 1, 2, 1000];
      const x = operand(view(long, [2000, 0, 1000, 1], 1), VALUES);
      await map(
        [x, operand(view(long, [1, 0, 3, 6]), VALUES)],
        operand(plain(long), [0]),
        { expr: call("add", input(0), input(1)) },
        "thousands",
      );
    });
    test("many inputs", async () => {
      const list = Object.values(VIEWS)
        .slice(0, 7)
        .map((v) => operand(v, VALUES));
      const sum = list.map((_, i) => call("mul", input(i), num(2 ** i))).reduce((a, b) => call("add", a, b));
      await map(list, operand(plain([2, 3, 4]), [0]), { expr: sum }, "seven inputs");
    });
  });
}
