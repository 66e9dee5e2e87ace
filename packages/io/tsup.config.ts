import { defineConfig } from "tsup";
import { library } from "../../tsup.preset.js";

// What needs Node is an entry of its own: bundles for browsers have none of it.
export default defineConfig({
  ...library,
  entry: ["src/index.ts", "src/node/index.ts"],
  splitting: false,
  external: [/^node:/],
  removeNodeProtocol: false,
});
