/**
 * All tests of the workspace, run from source: nothing needs to be built. `*.test-d.ts` are type tests: `npm run
 * typecheck` is their run. `*.browser.test.ts` need a real browser and belong to a project of their own.
 */
import { globSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { findChromium, noChromium } from "./scripts/chromium.mjs";

const root = fileURLToPath(new URL(".", import.meta.url));

/** `@nn/x` is packages/x/src/index.ts and `@nn/x/y` is packages/x/src/y/index.ts, as in tsconfig.json. */
const alias = [
  { find: /^@nn\/([^/]+)$/, replacement: `${root}packages/$1/src/index.ts` },
  { find: /^@nn\/([^/]+)\/(.+)$/, replacement: `${root}packages/$1/src/$2/index.ts` },
];

const browserTests = "packages/*/src/**/*.browser.test.ts";
if (globSync(browserTests, { cwd: root }).length > 0 && !findChromium()) console.log(noChromium);

export default defineConfig({
  root,
  resolve: { alias },
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: "node",
          environment: "node",
          include: ["packages/*/src/**/*.test.ts", "apps/*/src/**/*.test.ts"],
          exclude: [browserTests, "**/node_modules/**", "**/dist/**"],
          execArgv: ["--expose-gc"], // for tests of what the finalizer frees
          testTimeout: 60_000,
        },
      },
      // The browser project goes here, when there is one: `...(findChromium() ? [browserProject] : [])`.
    ],
  },
});
