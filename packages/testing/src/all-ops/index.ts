// Every function of @nn/tensor, @nn/layers and @nn/conv that takes a tensor, with inputs to try it on.

import { others } from "./others.js";
import { pointwise } from "./pointwise.js";
import type { Sample } from "./sample.js";
import { shaped } from "./shaped.js";

export * from "./sample.js";

export const allOps: readonly Sample[] = [...pointwise, ...shaped, ...others];
