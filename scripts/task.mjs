/**
 * The tasks behind the root's npm scripts: `npm run NAME -- ARGS`. Each first brings the checkout to where it can run,
 * and ends with the exit code of what it ran. Called without `&&` in package.json, so that signals pass through.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ensureBuilt, ensureInstalled } from "./ensure.mjs";
import { root, run } from "./workspace.mjs";

const golden = "packages/testing/dist/golden-cli.js";

/** @type {Record<string, (args: string[]) => Promise<number>>} */
const tasks = {
  build: () => built(),
  start: (args) => built(["node", "apps/examples/dist/index.js", ...args]),
  example: (args) => built(["node", "apps/examples/dist/index.js", ...args]),
  golden: (args) => built(["node", golden, ...args]),
  /** The pages on a local address, from the sources; with `build` as files in apps/playground/dist, with `preview` those. */
  playground: (args) => installed(["vite", ...args, "--config", "apps/playground/vite.config.ts"]),
  bench: (args) => built(["node", "apps/benchmarks/dist/index.js", ...args]),

  /** All tests and the golden figures; with arguments only vitest with them (`npm test -- packages/optim`). */
  test: (args) => (args.length > 0 ? installed(vitest(args)) : testAll()),

  lint: (args) => installed(["biome", "check", "--error-on-warnings", ...args]),
  format: (args) => installed(["biome", "check", "--write", ...args]),
  typecheck: () => installed(["tsc", "--noEmit", "-p", "tsconfig.json"]),
  cycles: () => installed(["node", "scripts/cycles.mjs"]),
  size: (args) => built(["node", "scripts/size.mjs", ...args]),
  health: (args) => built(["node", "scripts/health.mjs", ...args]),
  nightly: () => nightly(),
  changeset: (args) => installed(["changeset", ...args]),
  docs: (args) => docs(args),
};

const [name = "", ...args] = process.argv.slice(2);
if (!(name in tasks)) {
  console.error(`no task ${JSON.stringify(name)}: expected one of ${Object.keys(tasks).join(", ")}`);
  process.exit(1);
}
process.exit(await tasks[name](args));

/* ---------------------------------------------------------------------------------------------------------------- */

async function testAll() {
  await ensureBuilt();
  const commands = [vitest([])];
  if (existsSync(join(root, golden))) {
    for (const backend of ["reference", "wasm"]) {
      for (const mode of [[], ["--compiled"]]) commands.push(["node", golden, "--backend", backend, ...mode]);
    }
  }
  return inTurn(commands);
}

/**
 * Runs one after the other, whether or not one fails.
 * @param {string[][]} commands
 */
async function inTurn(commands) {
  let worst = 0;
  for (const command of commands) {
    const code = await exec(command);
    if (code > 128) return code; // ended by a signal
    worst = Math.max(worst, code);
  }
  return worst;
}

/** All that is known of WebGPU, in Node and in Chromium, of which `npm test` runs a part: takes an hour on a GPU in software. */
async function nightly() {
  await ensureBuilt();
  process.env.NN_WHOLE = "1";
  process.env.NN_CASES ??= "2000";
  const packs = ["conv", "layers", "recurrent", "testing"].map((name) => `packages/${name}/src/webgpu`);
  const commands = [["vitest", "run", "packages/backend-webgpu", ...packs, "packages/testing/src/golden"]];
  for (const backend of ["webgpu", "webgpu-alone"]) {
    for (const mode of [[], ["--compiled"]]) commands.push(["node", golden, "--backend", backend, ...mode]);
  }
  return inTurn(commands);
}

/**
 * The API reference, then the documentation site: on a local address, or with `build` as files.
 * @param {string[]} args
 */
async function docs(args) {
  await ensureInstalled();
  const cwd = join(root, "apps/docs");
  for (const [tool, ...rest] of [["typedoc"], ["vitepress", ...args]]) {
    const { code } = await run(join(cwd, "node_modules/.bin", tool), rest, { cwd });
    if (code !== 0) return code;
  }
  return 0;
}

/** @param {string[]} args */
function vitest(args) {
  const report = process.env.NN_TEST_REPORT; // where CI wants the counts
  const json = report ? ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`] : [];
  return ["vitest", "run", ...json, ...args];
}

/** @param {string[]} command */
async function installed(command) {
  await ensureInstalled();
  return exec(command);
}

/** @param {string[]} [command] */
async function built(command) {
  await ensureBuilt();
  return command ? exec(command) : 0;
}

/** @param {string[]} command */
async function exec([program, ...args]) {
  return (await run(program, args)).code;
}
