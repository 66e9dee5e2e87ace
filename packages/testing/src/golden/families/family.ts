// What a family is: the way from a case to what was expected and what we got.

import type { Tensor } from "@nn/tensor";
import { Args, type GoldenCase, NotBuilt } from "../case.js";
import { check, type Finding, type Mode, type Subject, type Tensors } from "../subject.js";

export type Family = (c: GoldenCase, mode: Mode) => Promise<Finding[]>;

/** How a case of one op is built; asks `args` for everything it uses. */
export type Builder = (args: Args, c: GoldenCase) => Subject;

/** A family of functions of tensors: a builder per op, by PyTorch's name. */
export function familyOf(builders: Readonly<Record<string, Builder>>): Family {
  return async (c, mode) => {
    if (!Object.hasOwn(builders, c.op)) throw new NotBuilt(`no ${c.op}`);
    const args = new Args(c.args);
    const subject = builders[c.op]!(args, c);
    args.done();
    return check(c, subject, mode);
  };
}

/** A function of the inputs with one output, y. */
export const gives =
  (build: (args: Args, c: GoldenCase) => (ins: Tensors) => Tensor): Builder =>
  (args, c) => {
    const f = build(args, c);
    return { run: (ins) => ({ y: f(ins) }) };
  };
