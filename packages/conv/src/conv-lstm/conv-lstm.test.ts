import { cat, checkGradients, compile, grad, manualSeed, NNError, randn, stack, type Tensor, zeros } from "@nn/tensor";
import { beforeEach, describe, expect, it } from "vitest";
import { ConvLSTM1d, ConvLSTM2d } from "./conv-lstm.js";

beforeEach(() => manualSeed(1));
const list = (t: Tensor) => Array.from(t.readSync());
const near = (t: Tensor) => Array.from(t.readSync(), (v) => expect.closeTo(v, 5));

/** The layer as it is written: one convolution of x and h per step. x (T, N, C, …). */
function loop(layer: ConvLSTM1d | ConvLSTM2d, x: Tensor, h: Tensor, c: Tensor): Tensor[] {
  const H = layer.hiddenChannels;
  const axes = x.rank - 3;
  const see = (c: Tensor, w: { value: Tensor } | null) =>
    w ? c.mul(w.value.reshape([H, ...new Array(axes).fill(1)])) : 0;
  const ys: Tensor[] = [];
  for (let t = 0; t < x.shape[0]!; t++) {
    const all = layer.conv.forward(cat([x.select(0, t), h], 1));
    const [i, f, g, o] = [0, 1, 2, 3].map((k) => all.slice([null, [k * H, (k + 1) * H]])) as [
      Tensor,
      Tensor,
      Tensor,
      Tensor,
    ];
    const next = f
      .add(see(c, layer.weight_cf))
      .sigmoid()
      .mul(c)
      .add(i.add(see(c, layer.weight_ci)).sigmoid().mul(g.tanh()));
    c = next;
    h = o.add(see(c, layer.weight_co)).sigmoid().mul(c.tanh());
    ys.push(h);
  }
  return [stack(ys), h, c];
}

const kinds = [
  ["ConvLSTM1d", (o: object) => new ConvLSTM1d(2, 3, 4, o), [5]],
  ["ConvLSTM2d", (o: object) => new ConvLSTM2d(2, 3, [3, 2], o), [3, 4]],
] as const;

describe.each(kinds)("%s", (name, make, size) => {
  const inputs = () => [randn([4, 2, 2, ...size]), randn([2, 3, ...size]), randn([2, 3, ...size])] as const;

  it.each([{}, { peephole: true }, { bias: false, peephole: true }])("is its formula: %o", async (options) => {
    const layer = make(options);
    for (const w of [layer.weight_ci, layer.weight_cf, layer.weight_co]) if (w) w.value = randn(w.shape);
    const [x, h, c] = inputs();
    const f = (x: Tensor, h: Tensor, c: Tensor) => Object.values(layer.forward(x, { h, c }));
    const want = loop(layer, x, h, c).map(near);
    expect(f(x, h, c).map(list)).toEqual(want);
    expect(compile(f)(x, h, c).map(list)).toEqual(want);
    expect(Object.values(layer.forward(x)).map(list)).toEqual(loop(layer, x, zeros(h.shape), zeros(c.shape)).map(near));
    const all = [x, h, c, ...layer.parameters()];
    const total = (outs: Tensor[]) => outs.map((t) => t.square().sum()).reduce((a, b) => a.add(b));
    const wanted = grad(() => total(loop(layer, x, h, c)), all).map((t) =>
      Array.from(list(t), (v) => expect.closeTo(v, 3)),
    );
    expect(grad(() => total(f(x, h, c)), all).map(list)).toEqual(wanted);
    await checkGradients((x, h, c) => total(f(x, h, c)), all, { samples: 6 });
  });

  it("takes rows first, no batch, and its own states", () => {
    const [x] = inputs();
    const layer = make({});
    const { output, h, c } = layer.forward(x);
    const first = make({ batchFirst: true });
    first.loadStateDict(layer.stateDict());
    const turned = first.forward(x.transpose(0, 1));
    expect([turned.output.transpose(0, 1), turned.h, turned.c].map(list)).toEqual([output, h, c].map(near));
    const alone = layer.forward(x.select(1, 1));
    expect(alone.output.shape).toEqual([4, 3, ...size]);
    expect(list(alone.output)).toEqual(near(output.select(1, 1)));
    expect(list(alone.h)).toEqual(near(h.select(0, 1)));
    const begun = layer.forward(x.slice([[0, 1]]));
    const rest = layer.forward(x.slice([[1, 4]]), begun);
    expect([rest.output, rest.h, rest.c].map(list)).toEqual([output.slice([[1, 4]]), h, c].map(near));
    const single = layer.forward(x.select(1, 1), { h: h.select(0, 1), c: c.select(0, 1) });
    expect(list(single.c)).toEqual(near(layer.forward(x, { h, c }).c.select(0, 1)));
  });

  it("names the fault", () => {
    expect(() => make({}).forward(zeros([4, 2, 5, ...size]))).toThrow(`${name}: expected x (T, N, 2, `);
    expect(() => make({}).forward(zeros([0, 2, 2, ...size]))).toThrow("T ≥ 1");
    const bad = { h: zeros([2, 3, ...size]), c: zeros([2, 2, ...size]) };
    expect(() => make({}).forward(inputs()[0], bad)).toThrow("the initial state c (2, 3,");
    expect(() => new ConvLSTM1d(2, 0, 3)).toThrow(NNError);
  });
});

it("has state like a convolution, and peepholes of 0", () => {
  const state = new ConvLSTM2d(2, 3, 5, { peephole: true }).stateDict();
  expect(Object.entries(state).map(([k, t]) => `${k} ${t.shape}`)).toEqual([
    "weight_ci 3",
    "weight_cf 3",
    "weight_co 3",
    "conv.weight 12,5,5,5",
    "conv.bias 12",
  ]);
  expect(list(state.weight_ci!)).toEqual([0, 0, 0]);
});
