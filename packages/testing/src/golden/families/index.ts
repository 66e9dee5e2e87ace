// The families by name: a new one is a file beside this one and a line here.

import { activation } from "./activation.js";
import { conv, pool } from "./conv.js";
import { dense } from "./dense.js";
import { type Family, familyOf } from "./family.js";
import { init } from "./init.js";
import { loss } from "./loss.js";
import { norm } from "./norm.js";
import { ops } from "./ops.js";
import { optim } from "./optim.js";
import { rnn } from "./rnn.js";
import { train } from "./train.js";

export const families: Readonly<Record<string, Family>> = {
  activation,
  conv,
  dense,
  init,
  loss,
  norm,
  ops,
  optim,
  pool,
  rnn,
  train,
  sched: familyOf({}), // @nn/optim has no schedules yet
};
