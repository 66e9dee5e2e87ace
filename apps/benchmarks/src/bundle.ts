/** Programs made at run time with esbuild: what runs in a page, and the peers, whose packages lie in a folder of their own. */
import { join } from "node:path";
import { build } from "esbuild";
import { ROOT } from "./paths.js";

/** What packages ask for where they find that they run in Node. */
const NODE_MODULES = ["node:*", "fs", "path", "crypto", "worker_threads", "perf_hooks", "os", "util", "string_decoder"];

/**
 * Bundles a program that is given as text, with the packages as they are in the sources.
 *
 * @param code imports are relative to this app's folder
 * @param platform for Node packages from the registry stay imports
 * @param modules a folder of installed packages
 * @param external packages that stay imports, as they are not there
 */
export async function bundle(
  code: string,
  platform: "browser" | "node",
  { modules, external = [] }: { modules?: string; external?: readonly string[] } = {},
): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: join(ROOT, "apps/benchmarks"), loader: "ts" },
    bundle: true,
    format: "esm",
    target: "es2022",
    platform,
    ...(platform === "node" ? { packages: "external" } : { external: [...NODE_MODULES, ...external] }),
    tsconfig: join(ROOT, "tsconfig.json"), // for @nn/…
    ...(modules ? { nodePaths: [modules] } : {}),
    write: false,
    logLevel: "error",
  });
  return outputFiles[0].text;
}
