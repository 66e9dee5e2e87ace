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
 * A published package: one file. Bundlers drop what a program does not use inside of it, too (`@__PURE__` and
 * `@__NO_SIDE_EFFECTS__` mark what makes ops and tables), and `sideEffects: false` cannot make them drop the file that
 * gives Tensor its methods.
 */
export const library: Options = { ...common, entry: ["src/index.ts"] };

/** A program for Node, bundled into one file per entry; its dependencies stay imports. */
export const program = (entry: Record<string, string>): Options => ({ ...common, platform: "node", entry });
