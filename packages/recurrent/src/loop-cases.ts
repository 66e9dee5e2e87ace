// Random cases for the tests of loops and their kernels: one layer in one direction, with all that may be given to it.

import { flip, grad, manualSeed, randn, type Tensor, tensor, zeros } from "@nn/tensor";
import { gruScan } from "./gru/scan.js";
import { lstmScan } from "./lstm/scan.js";
import { rnnScan } from "./rnn/scan.js";
import type { ScanInputs } from "./sequence.js";

export const kinds = ["rnn", "gru", "lstm"] as const;
type Kind = (typeof kinds)[number];
export const GATES = { rnn: 1, gru: 3, lstm: 4 };
export const STATES = { rnn: ["h"], gru: ["h"], lstm: ["h", "c"] };

/** How large cases may be, and how many per cent of them are. */
export interface Sizes {
  readonly rows: number;
  readonly hidden: readonly [most: number, percent: number];
  readonly lengths: number;
}

/** @param random a whole number from `least` to `most` */
export function caseOf(random: (least: number, most: number) => number, kind: Kind, most: Sizes) {
  const chance = (percent: number) => random(1, 100) <= percent;
  return {
    kind,
    steps: random(1, 7),
    rows: random(1, chance(20) ? most.rows : 9),
    input: random(1, 5),
    hidden: random(1, chance(most.hidden[1]) ? most.hidden[0] : 20),
    bias: chance(60),
    reverse: chance(40),
    nonlinearity: chance(50) ? ("tanh" as const) : ("relu" as const),
    /** States that are zeros, or seen backwards. */
    states: (["given", "zeros", "flipped"] as const)[random(0, 2)]!,
    lengths: chance(most.lengths),
    /** Which outputs count. */
    wanted: random(1, 7),
  };
}
export type Case = ReturnType<typeof caseOf>;

export function inputsOf({ kind, steps, rows, input, hidden, bias, states, lengths }: Case): ScanInputs<Tensor> {
  const wide = GATES[kind] * hidden;
  const vector = () => (bias ? randn([wide]).mul(0.3) : undefined);
  return {
    x: randn([steps, rows, input]),
    states: STATES[kind].map(() =>
      states === "zeros"
        ? zeros([rows, hidden])
        : states === "flipped"
          ? flip(randn([rows, hidden]), 0)
          : randn([rows, hidden]),
    ),
    weightIh: randn([wide, input]).mul(0.5),
    weightHh: randn([wide, hidden]).mul(1 / Math.sqrt(hidden)),
    biasIh: vector(),
    biasHh: vector(),
    lengths: lengths
      ? tensor(
          Array.from({ length: rows }, (_, i) => (7 * i + 3 * hidden + (i >> 2)) % (steps + 1)),
          { dtype: "i32" },
        )
      : undefined,
  };
}

export function scan(
  { kind, bias, reverse, lengths, nonlinearity = "tanh" }: Case,
  given: ScanInputs<Tensor>,
): readonly Tensor[] {
  const attrs = { bias, reverse, lengths };
  if (kind === "rnn") return rnnScan(given, { ...attrs, nonlinearity });
  return kind === "gru" ? gruScan(given, attrs) : lstmScan(given, { ...attrs, projection: false });
}

/** The outputs, and the gradients of all inputs. */
export function run(c: Case, seed: number): readonly Tensor[] {
  manualSeed(seed);
  const given = inputsOf(c);
  const outs = scan(c, given);
  const cts = outs.map((t) => randn(t.shape));
  const wrt = [given.x, ...given.states, given.weightIh, given.weightHh, given.biasIh, given.biasHh].filter(
    (t) => t !== undefined,
  );
  const loss = () =>
    scan(c, given)
      .flatMap((t, k) => (k === 0 || c.wanted & (1 << k) ? [t.mul(cts[k]!).sum()] : []))
      .reduce((a, b) => a.add(b));
  return [...outs, ...grad(loss, wrt)];
}
