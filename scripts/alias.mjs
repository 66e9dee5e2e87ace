/** Packages from their sources, for Vite and Vitest: `@nn/x` is packages/x/src/index.ts and `@nn/x/y` is packages/x/src/y/index.ts, as in tsconfig.json. */
import { root } from "./workspace.mjs";

export const alias = [
  { find: /^@nn\/examples\/(.+)$/, replacement: `${root}apps/examples/src/$1.ts` },
  { find: /^@nn\/([^/]+)$/, replacement: `${root}packages/$1/src/index.ts` },
  { find: /^@nn\/([^/]+)\/(.+)$/, replacement: `${root}packages/$1/src/$2/index.ts` },
];
