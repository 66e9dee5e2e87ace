import { Module, randn, relu, type Tensor, zeros } from "@nn/tensor";
import { describe, expect, it } from "vitest";
import { ReLU, Tanh } from "./activations.js";
import { Identity, type Layer, ModuleDict, ModuleList, Residual, Sequential } from "./containers.js";
import { Dropout } from "./dropout.js";
import { Flatten } from "./flatten.js";
import { Linear } from "./linear.js";

describe("Sequential", () => {
  it("runs its modules in order", async () => {
    const [a, b] = [new Linear(3, 4), new Linear(4, 2)];
    const model = new Sequential(a, new Tanh(), b);
    const x = randn([5, 3]);
    expect(await model.forward(x).toArray()).toEqual(await b.forward(a.forward(x).tanh()).toArray());
    expect([...model]).toEqual([a, model.layers[1], b]);
    expect(new Sequential().forward(x)).toBe(x);
  });

  it("has PyTorch's keys, nested too", () => {
    class Net extends Module {
      features = new Sequential(new Linear(2, 3), new ReLU(), new Sequential(new Linear(3, 1)));
      forward(x: Tensor) {
        return this.features.forward(x);
      }
    }
    const keys = ["features.0.weight", "features.0.bias", "features.2.0.weight", "features.2.0.bias"];
    expect(Object.keys(new Net().stateDict())).toEqual(keys);
    expect(new Net().parameters()).toHaveLength(4);
  });

  it("names the position in errors", () => {
    const model = new Sequential(new Linear(2, 3), new ReLU(), new Linear(4, 1));
    expect(() => model.forward(zeros([1, 2]))).toThrow(/Linear "2": .*expected x \(…, 4\), got \(1, 3\)/);
  });

  it("switches all its modules between training and evaluation", () => {
    const model = new Sequential(new Sequential(new Dropout(0.5)), new Dropout(0.5));
    model.eval();
    const x = randn([10]);
    expect(model.forward(x)).toBe(x);
    model.train();
    expect([...model.namedModules().values()].every((m) => m.training)).toBe(true);
  });

  it("refuses what is no module", () => {
    expect(() => new Sequential(new Linear(1, 1), relu as unknown as Layer)).toThrow(
      "Sequential: expected modules, got a function at position 1",
    );
    expect(() => new Sequential([new Linear(1, 1)] as unknown as Layer)).toThrow("got an array at position 0");
  });
});

describe("ModuleList", () => {
  it("holds modules under their positions", () => {
    class Net extends Module {
      blocks = new ModuleList([new Linear(2, 2), new Linear(2, 2)]);
      forward(x: Tensor) {
        for (const block of this.blocks) x = block.forward(x);
        return x;
      }
    }
    const net = new Net();
    expect(Object.keys(net.stateDict())).toEqual([
      "blocks.0.weight",
      "blocks.0.bias",
      "blocks.1.weight",
      "blocks.1.bias",
    ]);
    expect(net.forward(zeros([3, 2])).shape).toEqual([3, 2]);
    expect(net.blocks.length).toBe(2);
    expect(net.blocks.at(-1)).toBe(net.blocks.modules[1]);
    expect(() => net.blocks.forward()).toThrow("expected a call of one of its modules");
    expect(() => new ModuleList([null as unknown as Module])).toThrow(
      "ModuleList: expected modules, got null at position 0",
    );
  });
});

describe("ModuleDict", () => {
  it("holds modules by name", () => {
    const heads = new ModuleDict({ boxes: new Linear(2, 4), classes: new Linear(2, 3, { bias: false }) });
    expect(Object.keys(heads.stateDict())).toEqual(["boxes.weight", "boxes.bias", "classes.weight"]);
    expect(heads.get("boxes").forward(zeros([1, 2])).shape).toEqual([1, 4]);
    expect([...heads].map(([name]) => name)).toEqual(["boxes", "classes"]);
    expect(heads.eval().get("classes").training).toBe(false);
    expect(() => heads.forward()).toThrow('Call modules.get("name").forward(x)');
    expect(() => new ModuleDict({ a: relu as never })).toThrow("ModuleDict: expected modules, got a function");
  });
});

describe("Residual", () => {
  it("adds its input, or a shortcut of it", async () => {
    const [a, b] = [new Linear(3, 3), new Linear(3, 4)];
    const x = randn([2, 3]);
    const plain = new Residual([a, new Tanh()]);
    expect(await plain.forward(x).toArray()).toEqual(await x.add(a.forward(x).tanh()).toArray());
    expect(Object.keys(plain.stateDict())).toEqual(["0.weight", "0.bias"]);
    const shortcut = new Linear(3, 4, { bias: false });
    const other = new Residual([b], { shortcut });
    expect(await other.forward(x).toArray()).toEqual(await shortcut.forward(x).add(b.forward(x)).toArray());
    expect(Object.keys(other.stateDict())).toEqual(["0.weight", "0.bias", "shortcut.weight"]);
    expect(() => new Residual([b]).forward(x)).toThrow(
      "layers that give the shape of the way past them, (2, 3), got (2, 4)",
    );
  });
});

describe("Flatten and Identity", () => {
  it("merges axes", () => {
    const x = zeros([2, 3, 4, 5]);
    expect(new Flatten().forward(x).shape).toEqual([2, 60]);
    expect(new Flatten(0).forward(x).shape).toEqual([120]);
    expect(new Flatten(1, 2).forward(x).shape).toEqual([2, 12, 5]);
    expect(new Flatten(-3, -2).forward(x).shape).toEqual([2, 12, 5]);
    expect(new Identity().forward(x)).toBe(x);
  });

  it("refuses axes that are none", () => {
    expect(() => new Flatten(0.5)).toThrow("Flatten: expected start and end to be axes, got 0.5 and -1");
    expect(() => new Flatten(4).forward(zeros([2, 3]))).toThrow(/Flatten.*expected an axis from -2 to 1, got 4/);
  });
});
