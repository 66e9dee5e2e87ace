// The families by name: a new one is a file beside this one and a line here.

import { activation } from "./activation.js";
import { dense } from "./dense.js";
import type { Family } from "./family.js";
import { loss } from "./loss.js";
import { norm } from "./norm.js";
import { ops } from "./ops.js";

export const families: Readonly<Record<string, Family>> = { activation, dense, loss, norm, ops };
