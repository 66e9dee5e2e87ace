/** All examples by the names under which they are started, in the order in which `all` runs them. */

import { charlm } from "./charlm.js";
import { ctc } from "./ctc.js";
import { denoise } from "./denoise.js";
import { detection } from "./detection.js";
import type { Example } from "./example.js";
import { forecast } from "./forecast.js";
import { gesture } from "./gesture.js";
import { memory } from "./memory.js";
import { mnist } from "./mnist.js";
import { names } from "./names.js";
import { segmentation } from "./segmentation.js";
import { sentiment } from "./sentiment.js";
import { spokenDigits } from "./spoken-digits.js";
import { summarise } from "./summarise.js";
import { timeseries } from "./timeseries.js";
import { translate } from "./translate.js";
import { verification } from "./verification.js";

export const EXAMPLES: Readonly<Record<string, Example<any>>> = {
  mnist,
  timeseries,
  forecast,
  sentiment,
  charlm,
  "spoken-digits": spokenDigits,
  ctc,
  memory,
  names,
  translate,
  summarise,
  detection,
  segmentation,
  verification,
  gesture,
  denoise,
};
