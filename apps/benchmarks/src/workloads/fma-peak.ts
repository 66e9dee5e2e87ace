/**
 * What the GPU can do at best: fused multiply-adds in registers, in eight chains of four lanes that do not wait for each
 * other. Runs as long as it takes to outweigh the submission: from a few rounds on twice as many until 50 ms are over.
 */
import { eachElement, groupsOf, type WgslKernel, writes } from "@nn/backend-webgpu";
import { apply1, defineOp, type OpDef } from "@nn/tensor";
import { gflops, reading, type Workload } from "../workload.js";

const THREADS = 2 ** 18;
const CHAINS = 8;
/** Multiply-adds of a chain in a round. */
const UNROLLED = 16;
const ENOUGH_MS = 50;
const MOST_ROUNDS = 2 ** 16;

interface Attributes {
  readonly rounds: number;
}

const peakOp: OpDef<Attributes> = defineOp({
  name: "benchmarks/fma",
  infer: () => [{ shape: [THREADS], dtype: "f32" }],
});

export const peakKernel: WgslKernel<Attributes> = {
  op: peakOp.name,
  emit: ({ attrs: { rounds } }) => {
    const chains = Array.from({ length: CHAINS }, (_, c) => `x${c}`);
    const body = [
      "let s = f32(i & 7u) * 0.001;", // not known to the compiler
      "let m = vec4f(0.9 + s);",
      ...chains.map((x, c) => `var ${x} = vec4f(s, s + ${c}.5, s + 1, s + 2);`),
      `for (var r = 0u; r < ${rounds}u; r++) {`,
      ...Array.from({ length: UNROLLED }, () => chains.map((x) => `${x} = fma(${x}, m, m);`)).flat(),
      "}",
      `let y = ${chains.join(" + ")};`,
      "out0[i] = y.x + y.y + y.z + y.w;",
    ];
    const pass = { text: eachElement(THREADS, body), bindings: [writes("out0", "f32")], groups: groupsOf(THREADS) };
    return { name: "fma", passes: [pass] };
  },
};

export const workloads: readonly Workload[] = [
  {
    name: "fma_peak",
    backends: ["webgpu"],
    async make() {
      for (let rounds = 1; ; rounds *= 2) {
        const operations = THREADS * CHAINS * 4 * UNROLLED * rounds * 2;
        const found = reading(() => apply1(peakOp, [], { rounds }), gflops(operations));
        await found.run(); // compiles
        const start = performance.now();
        await found.run();
        if (performance.now() - start >= ENOUGH_MS || rounds >= MOST_ROUNDS) return found;
      }
    },
  },
];
