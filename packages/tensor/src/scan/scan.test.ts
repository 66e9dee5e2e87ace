import { beforeEach, describe, expect, it } from "vitest";
import {
  checkGradients,
  compile,
  grad,
  manualSeed,
  NNError,
  randn,
  scan,
  type Tensor,
  tensor,
  Variable,
  zeros,
} from "../index.js";

beforeEach(() => manualSeed(1));
const list = (t: Tensor) => Array.from(t.readSync());
const near = (t: Tensor) => Array.from(t.readSync(), (v) => expect.closeTo(v, 4));

/** A plain recurrent cell over x (T, N, I), from h (N, H): the states (T, N, H). */
const rnn = (x: Tensor, h: Tensor, wx: Tensor, wh: Tensor, b: Tensor, reverse = false) =>
  scan(
    (h: Tensor, x: Tensor) => {
      const next = x.matmul(wx).add(h.matmul(wh)).add(b).tanh();
      return [next, next];
    },
    h,
    x,
    { reverse },
  );

/** The same as a loop. */
const loop = (x: Tensor, h: Tensor, wx: Tensor, wh: Tensor, b: Tensor, reverse = false) => {
  const steps = x.shape[0]!;
  const states: Tensor[] = [];
  for (let i = 0; i < steps; i++) {
    const t = reverse ? steps - 1 - i : i;
    h = x.select(0, t).matmul(wx).add(h.matmul(wh)).add(b).tanh();
    states[t] = h;
  }
  return [h, states] as const;
};

const inputs = () => [randn([5, 3, 2]), randn([3, 4]), randn([2, 4]), randn([4, 4]), randn([4])] as const;

describe("scan", () => {
  it("carries and collects", () => {
    const [last, sums] = scan((total: Tensor, x: Tensor) => [total.add(x), total.add(x)], zeros([]), tensor([1, 2, 3]));
    expect([list(last), list(sums)]).toEqual([[6], [1, 3, 6]]);
  });

  it("takes structures, and steps without elements", () => {
    const [{ n, sum }, { squares }] = scan(
      ({ n, sum }: { n: Tensor; sum: Tensor }) => [{ n: n.add(1), sum: sum.add(n) }, { squares: n.mul(n) }],
      { n: zeros([]), sum: zeros([]) },
      null,
      { steps: 4 },
    );
    expect([list(n), list(sum), list(squares)]).toEqual([[4], [6], [0, 1, 4, 9]]);
  });

  it("takes carries by their names, and one tensor for two of them", () => {
    const swapped = ({ h, c }: { h: Tensor; c: Tensor }, x: Tensor) => [{ c: c.add(10), h: h.add(x) }, null] as const;
    const [{ h, c }] = scan(swapped, { h: zeros([]), c: zeros([]) }, tensor([1, 2, 3]));
    expect([list(h), list(c)]).toEqual([[6], [30]]);
    const [x, start] = [tensor([2, 3]), tensor(1)];
    const twice = ([a, b]: readonly [Tensor, Tensor], x: Tensor) => {
      const n = a.mul(x).add(b);
      return [[n, n] as const, null] as const;
    };
    const gradients = () => grad(() => scan(twice, [start, start] as const, x)[0][0], [start, x]);
    for (const [dh, dx] of [gradients(), compile(gradients)()]) expect([list(dh!), list(dx!)]).toEqual([[12], [4, 3]]);
  });

  it.each([false, true])("is the loop, eager and compiled, reverse %s", (reverse) => {
    const [x, h, wx, wh, b] = inputs();
    const [last, states] = loop(x, h, wx, wh, b, reverse);
    for (const run of [rnn, compile((...given: Parameters<typeof rnn>) => rnn(...given))]) {
      const [got, all] = run(x, h, wx, wh, b, reverse);
      expect(list(got)).toEqual(near(last));
      states.forEach((s, t) => {
        expect(list(all.select(0, t))).toEqual(near(s));
      });
    }
  });

  it.each([false, true])("has the loop's gradients in all it takes and closes over, reverse %s", async (reverse) => {
    const given = inputs();
    const [a, c] = [randn([3, 4]), randn([5, 3, 4])];
    const loss = (f: typeof rnn) => (x: Tensor, h: Tensor, wx: Tensor, wh: Tensor, b: Tensor) => {
      const [last, all] = f(x, h, wx, wh, b, reverse);
      return last.mul(a).sum().add(all.mul(c).sum());
    };
    const viaLoop = (...args: Parameters<ReturnType<typeof loss>>) => {
      const [last, states] = loop(...args, reverse);
      return states.reduce((sum, s, t) => sum.add(s.mul(c.select(0, t)).sum()), last.mul(a).sum());
    };
    const want = grad(() => viaLoop(...given), given);
    const eager = grad(() => loss(rnn)(...given), given);
    const compiled = compile((...args: typeof given) => grad(() => loss(rnn)(...args), args))(...given);
    want.forEach((w, i) => {
      expect(list(eager[i]!)).toEqual(near(w));
      expect(list(compiled[i]!)).toEqual(near(w));
    });
    await checkGradients(loss(rnn), [...given]);
  });

  it("differentiates twice", async () => {
    const [x, h, wx, wh, b] = inputs();
    const gradient = (wh: Tensor, h: Tensor) =>
      grad(() => rnn(x, h, wx, wh, b)[1].square().sum(), [wh, h]).reduce<Tensor>(
        (sum, g) => sum.add(g.square().sum()),
        zeros([]),
      );
    await checkGradients(gradient, [wh, h], { tolerance: 1e-2 });
  });

  it("has gradients in Variables, also where they are no products, and in only some of its inputs", () => {
    const [scale, w] = [new Variable(tensor([0.5, 2])), new Variable(randn([2, 2]))];
    const x = randn([4, 3, 2]);
    const cell = (h: Tensor, x: Tensor) => h.mul(scale.value).add(x.matmul(w.value)).add(w.value.sum());
    const viaScan = () =>
      scan((h: Tensor, x: Tensor) => [cell(h, x), null], zeros([3, 2]), x)[0]
        .square()
        .mean();
    const viaLoop = () => {
      let h = zeros([3, 2]);
      for (let t = 0; t < 4; t++) h = cell(h, x.select(0, t));
      return h.square().mean();
    };
    const want = grad(viaLoop, [scale, w]);
    grad(viaScan, [scale, w]).forEach((g, i) => {
      expect(list(g)).toEqual(near(want[i]!));
    });
    expect(list(grad(viaScan, [w])[0]!)).toEqual(near(want[1]!));
  });

  it("may be nested, and carry integers", () => {
    const x = randn([3, 4, 2]);
    const f = (x: Tensor) =>
      scan(
        ({ n, s }: { n: Tensor; s: Tensor }, row: Tensor) => {
          const [inner] = scan((s: Tensor, v: Tensor) => [s.mul(0.5).add(v.square()), null], s, row);
          return [{ n: n.add(1), s: inner }, inner.mul(n)];
        },
        { n: zeros([], { dtype: "i32" }), s: zeros([2]) },
        x,
      );
    const [{ n, s }, ys] = f(x);
    let want = zeros([2]);
    for (let i = 0; i < 3; i++) {
      for (let j = 0; j < 4; j++) want = want.mul(0.5).add(x.select(0, i).select(0, j).square());
      expect(list(ys.select(0, i))).toEqual(near(want.mul(i)));
    }
    expect([list(n), list(s)]).toEqual([[3], near(want)]);
    const gradient = grad(() => f(x)[0].s.sum(), [x])[0]!;
    const weights = Array.from({ length: 12 }, (_, i) => 0.5 ** (11 - i));
    expect(list(gradient)).toEqual(list(x).map((v, i) => expect.closeTo(2 * v * weights[i >> 1]!, 4)));
  });

  it("keeps its graph at one step", () => {
    const [, h, wx, wh, b] = inputs();
    const f = compile((x: Tensor) => rnn(x, h, wx, wh, b)[0]);
    const traced = (steps: number) => f.explain(randn([steps, 3, 2])).match(/traced: (\d+) ops/)![1];
    expect(traced(200)).toBe(traced(2));
  });

  it.each<[string, () => unknown, RegExp]>([
    ["no step", () => scan((c: Tensor) => [c, null], zeros([]), zeros([0])), /T ≥ 1, or the option steps, got \(0\)/],
    ["no elements", () => scan((c: Tensor) => [c, null], zeros([]), null), /option steps, got neither/],
    [
      "lengths",
      () => scan((c: Tensor) => [c, null], zeros([]), [zeros([2]), zeros([3])]),
      /of one length T ≥ 1, or the option steps, got \(2\), \(3\)/,
    ],
    [
      "carry",
      () => scan((c: Tensor, x: Tensor) => [c.add(x), null], zeros([]), zeros([2, 3])),
      /expected a next carry as the first one: \(\) f32, got \(3\) f32/,
    ],
    [
      "structure",
      () => scan(({ h }: { h: Tensor }) => [{ g: h } as never, null], { h: zeros([]) }, zeros([2])),
      /as the first one: h: \(\) f32, g: nothing, got h: nothing, g: \(\) f32/,
    ],
    [
      "number",
      () => scan((c: { n: number }) => [c, null], { n: 1 }, zeros([2]) as never),
      /init of tensors, in arrays and plain objects, got n: number/,
    ],
    [
      "steps",
      () => scan((c: Tensor) => [c, null], zeros([]), zeros([3]), { steps: 5 }),
      /of one length T ≥ 1, or the option steps, got \(3\), steps 5/,
    ],
    [
      "Variable",
      () => {
        const v = new Variable(zeros([]));
        const cell = (c: Tensor, x: Tensor) => {
          v.value = x;
          return [c, null] as const;
        };
        return scan(cell, zeros([]), zeros([2]));
      },
      /a cell that changes no Variable/,
    ],
  ])("names the fault: %s", (_, f, message) => {
    expect(f).toThrow(NNError);
    expect(f).toThrow(message);
  });
});
