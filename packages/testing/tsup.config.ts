import { existsSync } from "node:fs";
import { defineConfig } from "tsup";
import { program } from "../../tsup.preset.js";

const golden = "src/golden/cli.ts";
export default defineConfig(program({ index: "src/index.ts", ...(existsSync(golden) && { "golden-cli": golden }) }));
