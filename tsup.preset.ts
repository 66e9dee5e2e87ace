/** How every package's JavaScript is made. Types are made by `tsc -p tsconfig.build.json`: TypeScript 7 has no API. */
import type { Options } from "tsup";

const common: Options = {
  format: "esm",
  target: "es2022",
  platform: "neutral",
  sourcemap: true,
  dts: false,
  clean: true,
  silent: true,
  tsconfig: "tsconfig.build.json",
};

/**
 * A published package: one file in `dist` per file in `src`, not one bundle, so that with `sideEffects: false` a
 * bundler drops each module that a program does not use. Relative imports keep their `./name.js` as written.
 */
export const library: Options = {
  ...common,
  bundle: false,
  entry: ["src/**/*.ts", "!src/**/*.test.ts", "!src/**/*.test-d.ts"],
};

/** A program for Node, bundled into one file per entry; its dependencies stay imports. */
export const program = (entry: Record<string, string>): Options => ({ ...common, platform: "node", entry });
