import { defineConfig } from "tsup";
import { library } from "../../tsup.preset.js";

// What needs a library or Node is an entry of its own; what entries share is a chunk, so that classes are the same.
export default defineConfig({
  ...library,
  entry: ["src/index.ts", "src/csv/index.ts", "src/node/index.ts"],
  external: [/^node:/],
  removeNodeProtocol: false,
});
