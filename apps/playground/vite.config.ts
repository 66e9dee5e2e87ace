// How the pages are built: a static site with relative addresses, so that it works under any path of any host. The packages
// come from their sources.

import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vite";
import { alias } from "../../scripts/alias.mjs";

const pages = ["index", "digits", "memory", "text", "forecast", "sound"];

/** Tensor gets its methods in a file that package.json calls free of side effects: built packages are one file, which is never dropped. */
const keepMethods = (): Plugin => ({
  name: "keep-methods",
  enforce: "pre",
  transform: (_, id) => (id.endsWith("packages/tensor/src/methods.ts") ? { moduleSideEffects: true } : null),
});

/** Shared memory, and with it threads, needs these two of whoever serves the pages. */
export const isolation = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

export default defineConfig({
  root: fileURLToPath(new URL("src", import.meta.url)),
  base: "./",
  resolve: { alias },
  plugins: [keepMethods()],
  worker: { format: "es", plugins: () => [keepMethods()] },
  server: { headers: isolation },
  preview: { headers: isolation },
  build: {
    target: ["chrome123", "firefox121", "safari17.5"],
    outDir: fileURLToPath(new URL("dist", import.meta.url)),
    emptyOutDir: true,
    chunkSizeWarningLimit: 1000,
    rolldownOptions: { input: pages.map((page) => fileURLToPath(new URL(`src/${page}.html`, import.meta.url))) },
  },
});
