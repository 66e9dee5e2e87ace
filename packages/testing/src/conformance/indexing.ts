// gather and scatterAdd along every axis, by indices with repeats, of nothing, and out of range.

import { type DType, NNError, sizeOf, type View } from "@nn/tensor";
import { coordinates, type Memory, place } from "../naive.js";
import {
  type Bench,
  describe,
  elements,
  expect,
  expectSame,
  type Operand,
  operand,
  runKernel,
  valueAt,
} from "./harness.js";
import { plain, VALUES, view, WHOLE } from "./view-kinds.js";

export function indexing({ backend, test }: Bench): void {
  describe("gather and scatterAdd", () => {
    const shape = [3, 4, 2];
    /** An index along an axis, with each position met, some of them twice. */
    const indexOf = (axis: number, dtype: DType) =>
      operand(
        view(
          shape.with(axis, 5),
          strides(shape.with(axis, 5)).map((s) => s * 2),
          1,
          dtype,
        ),
        [0, 2, 1, 0].map((i) => i % shape[axis]!),
      );
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
            const source = operand(
              view(
                i.view.shape as number[],
                strides(i.view.shape).map((s) => -s),
                sizeOf(i.view.shape) - 1,
                dtype,
              ),
              dtype === "f32" ? VALUES : WHOLE,
            );
            const out = operand(plain(shape, dtype), [99]);
            const got = await runKernel(backend(), "scatterAdd", [i, source], out, { axis });
            const want = new Array<number>(sizeOf(shape)).fill(0);
            for (const at of coordinates(i.view.shape))
              want[place(out.view, at.with(axis, valueAt(i, at)))]! += valueAt(source, at);
            expectSame(elements(got, out.view), want, `axis ${axis}`, 1e-6);
          }
        });
      }
    }
    test("gather of nothing", async () => {
      const got = await runKernel(
        backend(),
        "gather",
        [operand(plain([3, 2]), VALUES), operand(plain([0, 2], "i32"), [0])],
        operand(plain([0, 2]), [99]),
        { axis: 0 },
      );
      expect(elements(got, plain([0, 2])).length).toBe(0);
      const zeros = await runKernel(
        backend(),
        "scatterAdd",
        [operand(plain([0, 2], "i32"), [0]), operand(plain([0, 2]), [1])],
        operand(plain([3, 2]), [99]),
        { axis: 0 },
      );
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
