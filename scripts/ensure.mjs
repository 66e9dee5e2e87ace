/**
 * Brings the checkout to a state in which a task can run, and does nothing where it is there already: dependencies
 * installed, packages built. Runs on a bare Node 20 with npm: pnpm comes through npx, and Node 24, which the tools
 * need, is a dependency of the workspace.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { manifest, packages, root, run } from "./workspace.mjs";

const pnpm = manifest(root).packageManager;

/** Installs the dependencies, if a manifest or the lockfile changed since the last time. */
export function ensureInstalled() {
  const manifests = packages().map(({ dir }) => `${dir}/package.json`);
  const inputs = ["package.json", "pnpm-lock.yaml", "pnpm-workspace.yaml", ...manifests];
  const state = () => hash(inputs.map((file) => readFileSync(join(root, file), "utf8")));
  return ensure("install", "installing dependencies", state, ["install", "--frozen-lockfile"]);
}

/** Installs, and builds every package, if a source file changed since the last time or a package has no build. */
export async function ensureBuilt() {
  await ensureInstalled();
  const has = (/** @type {string} */ file) => existsSync(join(root, file));
  if (packages().some(({ dir }) => has(`${dir}/tsup.config.ts`) && !has(`${dir}/dist/index.js`)))
    rmSync(stamp("build"), { force: true });
  const state = () => {
    const shared = ["pnpm-lock.yaml", "tsconfig.base.json", "tsup.preset.ts", "turbo.json"];
    const own = packages().flatMap(({ dir }) => [
      ...sources(`${dir}/src`),
      ...["package.json", "tsconfig.build.json", "tsup.config.ts", "vite.config.ts"].map((file) => `${dir}/${file}`),
    ]);
    return hash([...shared, ...own].map(fingerprint));
  };
  // turbo calls pnpm by its name, which only npx puts on the path.
  return ensure("build", "building", state, ["exec", "turbo", "run", "build", "--output-logs=errors-only"]);
}

/* ---------------------------------------------------------------------------------------------------------------- */

/**
 * Runs pnpm with these arguments, unless the stamp of that name says that nothing changed. What pnpm writes is shown
 * only when it fails, and then this process ends with its code.
 * @param {string} name
 * @param {string} message
 * @param {() => string} state a hash of all that the outcome depends on
 * @param {string[]} args
 */
async function ensure(name, message, state, args) {
  const fresh = () => existsSync(stamp(name)) && readFileSync(stamp(name), "utf8") === state();
  if (fresh()) return;
  const unlock = await lock();
  try {
    if (fresh()) return; // another process did it while this one waited
    const start = performance.now();
    const before = state(); // and not after: what is edited meanwhile must count as changed
    console.error(`${message} …`);
    const { code, output } = await run("npx", ["--yes", pnpm, ...args], { capture: true });
    if (code !== 0) {
      console.error(`${output}\nfailed: npx ${pnpm} ${args.join(" ")} (exit code ${code})`);
      unlock();
      process.exit(code);
    }
    mkdirSync(join(root, "node_modules/.nn"), { recursive: true });
    writeFileSync(stamp(name), before);
    console.error(`${message}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
  } finally {
    unlock();
  }
}

/** @param {string} name */
const stamp = (name) => join(root, "node_modules/.nn", name);

/** @param {string[]} parts */
const hash = (parts) => createHash("sha256").update(parts.join("\n")).digest("hex");

/** @param {string} file a file of the repository; one that does not exist has a fingerprint too */
function fingerprint(file) {
  const stat = statSync(join(root, file), { throwIfNoEntry: false });
  return `${file} ${stat?.size} ${stat?.mtimeMs}`;
}

/**
 * @param {string} dir
 * @returns {string[]} all files below it that go into a build
 */
function sources(dir) {
  return readdirSync(join(root, dir), { withFileTypes: true })
    .flatMap((entry) => (entry.isDirectory() ? sources(`${dir}/${entry.name}`) : [`${dir}/${entry.name}`]))
    .filter((file) => !/\.test(-d)?\.ts$/.test(file))
    .sort();
}

/**
 * Lets one process at a time install or build in this checkout. The lock lies outside it, since an install may begin
 * with no node_modules, and a lock whose process has died counts for nothing.
 * @returns {Promise<() => void>} gives the lock back
 */
async function lock() {
  const file = join(tmpdir(), `nn-${hash([root]).slice(0, 16)}.lock`);
  for (let waited = false; ; waited = true) {
    try {
      writeFileSync(file, String(process.pid), { flag: "wx" });
      const unlock = () => rmSync(file, { force: true });
      return unlock;
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== "EEXIST") throw error;
    }
    if (!holderLives(file)) rmSync(file, { force: true });
    else if (!waited) console.error("waiting for another process that installs or builds here …");
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** @param {string} file */
function holderLives(file) {
  try {
    const pid = Number(readFileSync(file, "utf8"));
    return pid === 0 || process.kill(pid, 0); // an empty file: its holder is just writing it
  } catch {
    return false;
  }
}
