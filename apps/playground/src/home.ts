// The first page: the way to the others.

import { frame } from "./frame/page.js";

frame(null);
