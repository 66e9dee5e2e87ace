import { defineConfig } from "tsup";
import { library } from "../../tsup.preset.js";

// The kernels for a backend are an entry of their own: who does not use that backend need not have it.
const entry = ["src/index.ts", "src/wasm/index.ts", "src/webgpu/index.ts"];
export default defineConfig({ ...library, entry, splitting: false });
