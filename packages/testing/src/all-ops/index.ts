// Every function of @nn/tensor, @nn/layers, @nn/conv and @nn/recurrent that takes a tensor, with inputs to try it on.

import { others } from "./others.js";
import { pointwise } from "./pointwise.js";
import { sequences } from "./recurrent.js";
import type { Sample } from "./sample.js";
import { shaped } from "./shaped.js";

export * from "./sample.js";

export const allOps: readonly Sample[] = [...pointwise, ...shaped, ...others, ...sequences];
