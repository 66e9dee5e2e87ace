import { defineConfig } from "tsup";
import { program } from "../../tsup.preset.js";

export default defineConfig(program({ index: "src/index.ts" }));
