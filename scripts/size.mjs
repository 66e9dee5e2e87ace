/**
 * Weighs small programs as a user would ship them: bundled from the built packages with esbuild, minified, gzip. The
 * budgets are in size-budgets.json. With `--list`, also the files that weigh most.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { root } from "./workspace.mjs";

const scripts = join(root, "scripts");
/** @type {{ name: string, entry: string, maxBytes: number }[]} */
const budgets = JSON.parse(readFileSync(join(scripts, "size-budgets.json"), "utf8"));
let failures = 0;

for (const { name, entry, maxBytes } of budgets) {
  const { outputFiles, metafile } = await build({
    entryPoints: [join(scripts, entry)],
    absWorkingDir: root,
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    write: false,
    metafile: true,
    outdir: "out",
    tsconfigRaw: {}, // not the workspace's paths: it is the built packages that count
    plugins: [{ name: "workspace", setup }],
    logLevel: "error", // esbuild says what is wrong with a program
  }).catch(() => process.exit(1));
  const bytes = gzipSync(outputFiles[0].contents, { level: 9 }).length;
  const fits = bytes <= maxBytes;
  const figures = `${bytes.toLocaleString("en")} of ${maxBytes.toLocaleString("en")} bytes gzip`;
  console.log(
    `${fits ? "ok" : "TOO BIG"}  ${name}: ${figures} (${outputFiles[0].contents.length.toLocaleString("en")} minified)`,
  );
  if (!fits || process.argv.includes("--list")) list(metafile);
  // A bundle that lost something it needs would be small, too.
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-"], {
    input: outputFiles[0].contents,
  });
  const ran = status === 0 && Number.isFinite(Number.parseFloat(stdout.toString()));
  if (!ran) console.log(`BROKEN   ${name}: the bundle does not run: ${stderr.toString().slice(-600)}`);
  if (!fits || !ran) failures++;
}
process.exit(failures > 0 ? 1 : 0);

/* ---------------------------------------------------------------------------------------------------------------- */

/**
 * The programs are no package, so `@nn/…` resolves as it does for packages/testing, which depends on all packages.
 * @param {import("esbuild").PluginBuild} build
 */
function setup(build) {
  build.onResolve({ filter: /^@nn\// }, ({ path, kind, pluginData }) =>
    pluginData === "again"
      ? undefined
      : build.resolve(path, { kind, resolveDir: join(root, "packages/testing"), pluginData: "again" }),
  );
}

/** @param {import("esbuild").Metafile} metafile */
function list(metafile) {
  const inputs = Object.entries(Object.values(metafile.outputs)[0].inputs);
  const heaviest = inputs.sort(([, a], [, b]) => b.bytesInOutput - a.bytesInOutput).slice(0, 15);
  for (const [file, { bytesInOutput }] of heaviest) console.log(`  ${String(bytesInOutput).padStart(7)}  ${file}`);
}
