// Whole trainings: a net described in a line, some steps of an optimiser, and what became of it.

import { crossEntropy, mse } from "@nn/layers";
import { clipGradNorm } from "@nn/optim";
import { compile, indexSelect, keep, type Tensor } from "@nn/tensor";
import { type GoldenCase, NotBuilt, tensorsOf } from "../case.js";
import { type Finding, findings, fromGolden } from "../subject.js";
import type { Family } from "./family.js";
import { netOf } from "./net.js";
import { History, optimizerOf } from "./optim.js";
import { scheduleOf } from "./sched.js";

export const train: Family = async (c, { compiled }) => {
  if (c.op !== "train") throw new NotBuilt(`no ${c.op}`);
  const { net, optimizer: given, steps, clip_grad_norm: maxNorm } = c.raw as unknown as Training;
  const { op, scheduler, ...args } = given;

  const module = netOf(net.split(";")[0]!, tensorsOf(c, "param"));
  module.loadStateDict(fromGolden(new Map([...tensorsOf(c, "param"), ...tensorsOf(c, "buffer")])));
  const optimizer = optimizerOf(op, args, module.parameters());
  const schedule = scheduler && scheduleOf(...scheduler, optimizer);
  const loss = lossOf(net);
  const { x, t, batches } = fromGolden(tensorsOf(c, "in")) as { x: Tensor; t: Tensor; batches: Tensor };

  const plain = (rows: Tensor): { loss: Tensor; norm?: Tensor } => {
    let norm: Tensor | undefined;
    const transform = (gradients: readonly Tensor[]) => {
      if (typeof maxNorm !== "number") return gradients;
      const clipped = clipGradNorm(gradients, maxNorm);
      norm = keep(clipped.totalNorm);
      return clipped.gradients;
    };
    const value = optimizer.minimize(() => loss(module.forward(indexSelect(x, 0, rows)), indexSelect(t, 0, rows)), {
      transform,
    });
    return norm ? { loss: value, norm } : { loss: value };
  };
  const step = compiled ? compile(plain) : plain;
  const history = new History();
  for (let i = 0; i < steps; i++) {
    const { loss: value, norm } = step(batches.select(0, i));
    await history.add("out.loss", value);
    if (norm) await history.add("out.grad_norm", norm);
    schedule?.step();
  }

  module.eval();
  const predict = (input: Tensor): Tensor => module.forward(input);
  const found: Record<string, Tensor> = { "out.eval": (compiled ? compile(predict) : predict)(x.slice([[0, 4]])) };
  for (const [name, v] of module.namedVariables()) found[`after.${name}`] = v.value;
  const single = new Map([...c.tensors].filter(([name]) => history.get(name) === undefined));
  const over = [...c.tensors].flatMap(([name, want]): Finding[] => {
    const got = history.get(name);
    return got ? [{ name, got, want }] : [];
  });
  return [...over, ...(await findings({ ...c, tensors: single } satisfies GoldenCase, found))];
};

interface Training {
  readonly net: string;
  readonly optimizer: { readonly op: string; readonly scheduler?: readonly [string, object] };
  readonly steps: number;
  readonly clip_grad_norm: number | null;
}

/** From the words after the net: "cross entropy [over all steps] [label_smoothing S]" or "mean squared error". */
function lossOf(description: string): (y: Tensor, t: Tensor) => Tensor {
  if (description.includes("mean squared error")) return (y, t) => mse(y, t);
  if (!description.includes("cross entropy")) throw new NotBuilt(`no loss of "${description}"`);
  const labelSmoothing = Number(/label_smoothing ([\d.]+)/.exec(description)?.[1] ?? 0);
  if (description.includes("over all steps")) {
    return (y, t) => crossEntropy(y.reshape([-1, y.shape.at(-1)!]), t.reshape([-1]), { labelSmoothing });
  }
  return (y, t) => crossEntropy(y, t, { labelSmoothing });
}
