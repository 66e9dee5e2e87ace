// The families by name: a new one is a file beside this one and a line here.

import { activation } from "./activation.js";
import { conv } from "./conv.js";
import { dense } from "./dense.js";
import type { Family } from "./family.js";
import { init } from "./init.js";
import { loss } from "./loss.js";
import { norm } from "./norm.js";
import { ops } from "./ops.js";
import { optim } from "./optim.js";
import { pool } from "./pool.js";
import { rnn } from "./rnn.js";
import { sched } from "./sched.js";
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
  sched,
  train,
};
