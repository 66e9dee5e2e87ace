import { defineConfig } from "tsup";
import { library } from "../../tsup.preset.js";

// worker.js is what a thread starts from: a file of its own, so that bundlers and strict pages can serve it.
export default defineConfig({ ...library, entry: ["src/index.ts", "src/worker.ts"], splitting: false });
