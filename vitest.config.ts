/**
 * All tests of the workspace, run from source: nothing needs to be built. `*.test-d.ts` are type tests: `npm run
 * typecheck` is their run. `*.browser.test.ts` need a real browser and belong to a project of their own.
 */
import { globSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { playwright } from "@vitest/browser-playwright";
import { defineConfig, type TestProjectConfiguration } from "vitest/config";
import { alias } from "./scripts/alias.mjs";
import { chromiumArgs, findChromium, noChromium } from "./scripts/chromium.mjs";

const root = fileURLToPath(new URL(".", import.meta.url));

const browserTests = "packages/*/src/**/*.browser.test.ts";
const chromium = findChromium();
if (globSync(browserTests, { cwd: root }).length > 0 && !chromium) console.log(noChromium);

/** In a browser, on a page that may share memory (the headers ask for it) or on one as most pages are. */
const browserProject = (isolated: boolean): TestProjectConfiguration => ({
  extends: true,
  server: {
    headers: isolated
      ? { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" }
      : {},
  },
  test: {
    name: isolated ? "browser, isolated" : "browser",
    include: [browserTests],
    setupFiles: ["vitest.setup.ts"],
    provide: { isolated, whole: Boolean(process.env.NN_WHOLE) },
    testTimeout: 60_000,
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: playwright({ launchOptions: { executablePath: chromium!, args: [...chromiumArgs] } }),
      instances: [{ browser: "chromium" }],
    },
  },
});

declare module "vitest" {
  interface ProvidedContext {
    isolated: boolean;
    /** Whether tests that take minutes on a GPU in software run in whole (`npm run nightly`). */
    whole: boolean;
  }
}

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
          include: ["packages/*/src/**/*.test.ts", "apps/*/src/**/*.test.ts", "apps/*/test/**/*.test.ts"],
          setupFiles: ["vitest.setup.ts"],
          exclude: [browserTests, "**/node_modules/**", "**/dist/**"],
          execArgv: ["--expose-gc"], // for tests of what the finalizer frees
          testTimeout: 60_000,
        },
      },
      ...(chromium ? [browserProject(true), browserProject(false)] : []),
    ],
  },
});
