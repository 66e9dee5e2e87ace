// The example of CONTRIBUTING.md: the file beside this one is what is printed there, and it works everywhere an op must.

import { readFileSync } from "node:fs";
import { checkGradients, compile, getBackend, type Kernel, ones, reference, setBackend, tensor } from "@nn/tensor";
import { describe, expect, it } from "vitest";
import { hypot } from "./hypot.js";

const guide = readFileSync(new URL("../../../../CONTRIBUTING.md", import.meta.url), "utf8");
const source = readFileSync(new URL("./hypot.ts", import.meta.url), "utf8");

describe("an op in a package of its own", () => {
  it("is what CONTRIBUTING.md shows", () => {
    expect(guide).toContain(source.trim());
  });

  it("needs no file of @nn/tensor", () => {
    const imports = [...source.matchAll(/from "(.+)"/g)].map((m) => m[1]);
    expect(imports).toEqual(["@nn/tensor"]);
  });

  it("runs eager and compiled, with its gradient", async () => {
    const [a, b] = [tensor([3, 5]), tensor([4, 12])];
    expect(await hypot(a, b).toArray()).toEqual([5, 13]);
    expect(await compile(hypot)(a, b).toArray()).toEqual([5, 13]);
    await checkGradients(hypot, [a, b]);
    expect(() => hypot(a, ones([3]))).toThrow("example/hypot: expected a and b of one shape, got (2) and (3)");
  });

  it("gets a kernel without a change to the op", async () => {
    let ran = 0;
    const kernel: Kernel = {
      op: "example/hypot",
      emit:
        ({ outs: [out] }) =>
        ([x, y]: { f32: Float32Array }[], [z]: { f32: Float32Array }[]) => {
          ran++;
          for (let i = 0; i < out!.shape[0]!; i++) z!.f32[i] = Math.hypot(x!.f32[i]!, y!.f32[i]!);
        },
    };
    const before = getBackend();
    setBackend(reference({ kernels: [kernel as never] }));
    try {
      expect(await hypot(tensor([3]), tensor([4])).item()).toBe(5);
      expect(await compile(hypot)(tensor([3]), tensor([4])).item()).toBe(5);
      expect(ran).toBe(2);
    } finally {
      setBackend(before);
    }
  });
});
