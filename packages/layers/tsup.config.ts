import { defineConfig } from "tsup";
import { library } from "../../tsup.preset.js";

// The kernels for a backend are an entry of their own: who does not use that backend need not have it.
export default defineConfig({ ...library, entry: ["src/index.ts", "src/webgpu/index.ts"], splitting: false });
