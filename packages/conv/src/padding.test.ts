import { memory, randn, tensor, zeros } from "@nn/tensor";
import { describe, expect, it } from "vitest";
import {
  CircularPad1d,
  CircularPad3d,
  ConstantPad1d,
  ReflectionPad1d,
  ReflectionPad2d,
  ReplicationPad1d,
  ZeroPad1d,
  ZeroPad2d,
  ZeroPad3d,
} from "./padding.js";

const x = tensor([[1, 2, 3, 4]]);

describe("padding layers", () => {
  it.each([
    [new ZeroPad1d([2, 1]), [0, 0, 1, 2, 3, 4, 0]],
    [new ZeroPad1d([-1, 1]), [2, 3, 4, 0]],
    [new ConstantPad1d([2, 1], 9), [9, 9, 1, 2, 3, 4, 9]],
    [new ReflectionPad1d([2, 1]), [3, 2, 1, 2, 3, 4, 3]],
    [new ReplicationPad1d([2, 1]), [1, 1, 1, 2, 3, 4, 4]],
    [new CircularPad1d([2, 1]), [3, 4, 1, 2, 3, 4, 1]],
  ])("%s", (layer, want) => {
    expect([...layer.forward(x).readSync()]).toEqual(want);
  });

  it("count from the last axis, as PyTorch", () => {
    expect(new ZeroPad2d([1, 2, 3, 4]).pairs).toEqual([
      [3, 4],
      [1, 2],
    ]);
    expect(new ZeroPad2d([1, 2, 3, 4]).forward(zeros([2, 3, 5, 6])).shape).toEqual([2, 3, 12, 9]);
    expect(new ZeroPad3d([0, 0, 0, 0, 1, 2]).forward(zeros([3, 5, 6, 7])).shape).toEqual([3, 8, 6, 7]);
    expect(new CircularPad3d(1).forward(zeros([1, 1, 2, 2, 2])).shape).toEqual([1, 1, 4, 4, 4]);
  });

  it("leave nothing behind", () => {
    const image = randn([1, 4, 4]);
    const { tensors } = memory();
    new ReflectionPad2d(2).forward(image).dispose();
    expect(memory().tensors).toBe(tensors);
  });

  it("name the fault", () => {
    expect(() => new ZeroPad2d([1, 2])).toThrow(
      /^ZeroPad2d: expected padding: an integer, or 4 of them \(left, right, top, bottom\), got \[1,2\]/,
    );
    expect(() => new ReflectionPad1d(4).forward(x)).toThrow(/^ReflectionPad1d: pad \("reflect"\): .* from 0 to 3/);
    expect(() => new ZeroPad1d(1).forward(zeros([4]))).toThrow(
      /^ZeroPad1d: pad: expected x \(N, C, L\) or \(C, L\), got \(4\)/,
    );
  });
});
