// The loops' own gradients: of gradients, of one tensor in two places, of outputs that nobody uses.

import { checkGradients, compile, grad, manualSeed, randn, type Tensor, tensor } from "@nn/tensor";
import { describe, expect, test } from "vitest";
import { gruScan, lstmScan, rnnScan, type ScanInputs } from "./index.js";

const [T, N, I, H] = [3, 2, 2, 3];

const kinds = {
  rnn: { gates: 1, states: 1, scan: (x: ScanInputs<Tensor>, a: Attrs) => rnnScan(x, { ...a, nonlinearity: "tanh" }) },
  gru: { gates: 3, states: 1, scan: (x: ScanInputs<Tensor>, a: Attrs) => gruScan(x, a) },
  lstm: { gates: 4, states: 2, scan: (x: ScanInputs<Tensor>, a: Attrs) => lstmScan(x, { ...a, projection: false }) },
};
type Attrs = { bias: boolean; reverse: boolean; lengths: boolean };

const ways = [
  { reverse: false, lengths: undefined },
  { reverse: true, lengths: undefined },
  { reverse: false, lengths: [3, 1] },
  { reverse: true, lengths: [2, 3] },
];

describe.each(Object.entries(kinds))("%s", (_, { gates, states, scan }) => {
  /** x, states, weights and biases. */
  const list = () => {
    manualSeed(1);
    const shapes = [
      [T, N, I],
      ...new Array(states).fill([N, H]),
      [gates * H, I],
      [gates * H, H],
      [gates * H],
      [gates * H],
    ];
    return shapes.map((shape) => randn(shape).mul(0.5));
  };
  const run = (given: readonly Tensor[], reverse: boolean, lengths?: readonly number[]) => {
    const [x, ...rest] = given as [Tensor, ...Tensor[]];
    const [weightIh, weightHh, biasIh, biasHh] = rest.slice(states) as [Tensor, Tensor, Tensor, Tensor];
    const inputs = { x, states: rest.slice(0, states), weightIh, weightHh, biasIh, biasHh };
    return scan(
      { ...inputs, lengths: lengths && tensor([...lengths], { dtype: "i32" }) },
      { bias: true, reverse, lengths: lengths !== undefined },
    );
  };

  test.each(ways)("gradients of gradients, %o", async ({ reverse, lengths }) => {
    const squares = (tensors: readonly Tensor[]) => tensors.map((t) => t.square().sum()).reduce((a, b) => a.add(b));
    const f = (...given: Tensor[]) => squares(grad(() => squares(run(given, reverse, lengths)), given));
    await checkGradients(f, list());
    const [eager, compiled] = [grad, grad].map((g, k) => {
      const both = (...given: Tensor[]) => g(() => f(...given), given);
      return (k ? compile(both) : both)(...list());
    });
    for (const [i, t] of eager!.entries()) expect(await t.sub(compiled![i]!).abs().max().item()).toBeLessThan(1e-4);
  });

  test("only the final state counts", async () => {
    await checkGradients((...given) => run(given, false)[1]!.square().sum(), list());
  });
});

test("one tensor may be both states", async () => {
  manualSeed(2);
  const given = { x: randn([T, N, I]), weightIh: randn([4 * H, I]), weightHh: randn([4 * H, H]) };
  const attrs = { bias: false, reverse: false, lengths: false, projection: false };
  const loss = (s: Tensor) =>
    lstmScan({ ...given, states: [s, s] }, attrs)[0]!
      .square()
      .sum();
  await checkGradients(loss, [randn([N, H])]);
  await checkGradients(
    (s) =>
      grad(() => loss(s), [s])[0]!
        .square()
        .sum(),
    [randn([N, H])],
  );
});
