/**
 * Package health, judged on the tarballs that would be published: publint (strict), are-the-types-wrong, and each
 * package installed into an empty project, alone with the packages it depends on, and imported there by the system's
 * own Node, not the workspace's. Then, in a project that has all packages, every `ts` snippet of their READMEs is run;
 * one that cannot run on its own says so: ```ts no-run. What the project's README says is done in an empty folder, as a newcomer would.
 * Last, the packages are opened in web pages. With names as arguments (`tensor conv`), only those packages.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { transform } from "esbuild";
import { checkPages } from "./pages.mjs";
import { manifest, packages, root, run } from "./workspace.mjs";

/** @typedef {import("./workspace.mjs").Package} Package */

const all = packages().filter((pkg) => !pkg.private);
const wanted = process.argv.slice(2).map((name) => `@nn/${name.replace("@nn/", "")}`);
const checked = wanted.length > 0 ? all.filter(({ name }) => wanted.includes(name)) : all;

/** The path without the workspace's tools: there `node` and `npm` are the system's. */
const systemPath = (process.env.PATH ?? "").split(delimiter).filter((dir) => !dir.includes("node_modules"));
const system = { capture: true, env: { PATH: systemPath.join(delimiter) } };

const temp = mkdtempSync(join(tmpdir(), "nn-health-"));
process.on("exit", () => rmSync(temp, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(1));

let failures = 0;
const node = (await run("node", ["--version"], system)).output.trim();
const tarballs = await packAll();

for (const pkg of checked) {
  const tarball = tarballs[pkg.name];
  await check(`${pkg.name} publint`, () => run("publint", ["run", tarball, "--strict"], { capture: true }));
  await check(`${pkg.name} types`, () =>
    run("attw", [tarball, "--profile", "esm-only", "--no-color", "--no-emoji"], { capture: true }),
  );
  await check(`${pkg.name} installs alone and loads in Node ${node}`, () => loads(pkg));
}
const everything = join(temp, "everything");
await check("all packages install together", () => install(everything, all));
for (const pkg of checked) await readme(pkg);
if (wanted.length === 0) await newcomer();
if (checked.some(({ name }) => name === "@nn/backend-wasm")) await checkPages(everything, check);

console.log(failures > 0 ? `${failures} checks failed` : "all packages are healthy");
process.exit(failures > 0 ? 1 : 0);

/* ---------------------------------------------------------------------------------------------------------------- */

/**
 * Prints a line for a check, and what it wrote if it failed.
 * @param {string} name
 * @param {() => Promise<{ code: number, output: string }>} step
 */
async function check(name, step) {
  const { code, output } = await step();
  console.log(`${code === 0 ? "ok    " : "FAILED"}  ${name}`);
  if (code !== 0) {
    failures++;
    console.log(output.trim().replace(/^/gm, "        "));
  }
}

/** @returns {Promise<Record<string, string>>} the tarball of each public package, by its name */
async function packAll() {
  const filters = all.map(({ name }) => `--filter=${name}`);
  const pnpm = manifest(root).packageManager;
  const pack = ["--yes", pnpm, ...filters, "-r", "pack", "--pack-destination", temp];
  const { code, output } = await run("npx", pack, { capture: true });
  if (code !== 0) {
    console.error(output);
    process.exit(code);
  }
  const file = (/** @type {Package} */ { name, dir }) =>
    `${name.replace("@", "").replace("/", "-")}-${manifest(join(root, dir)).version}.tgz`;
  return Object.fromEntries(all.map((pkg) => [pkg.name, join(temp, file(pkg))]));
}

/**
 * Installs tarballs, and nothing from a registry that our own packages do not ask for, into a new project.
 * @param {string} dir
 * @param {Package[]} pkgs
 */
function install(dir, pkgs) {
  mkdirSync(dir);
  const dependencies = Object.fromEntries(pkgs.map(({ name }) => [name, `file:${tarballs[name]}`]));
  writeFileSync(join(dir, "package.json"), JSON.stringify({ type: "module", private: true, dependencies }));
  return run("npm", ["install", "--no-audit", "--no-fund", "--loglevel=error"], { ...system, cwd: dir });
}

/** @param {Package} pkg */
async function loads(pkg) {
  const dir = join(temp, pkg.name.replace("/", "-"));
  const installed = await install(dir, withDependencies(pkg));
  if (installed.code !== 0) return installed;
  const entries = Object.keys(manifest(join(root, pkg.dir)).exports).map((path) => pkg.name + path.slice(1));
  const code = entries.map(
    (entry) => `if (Object.keys(await import("${entry}")).length === 0) throw new Error("${entry} exports nothing");`,
  );
  return run("node", ["--input-type=module", "--eval", code.join("\n")], { ...system, cwd: dir });
}

/** @type {(pkg: Package) => Package[]} */
function withDependencies(pkg) {
  const direct = all.filter(({ name }) => pkg.dependencies.includes(name));
  return [...new Set([pkg, ...direct.flatMap(withDependencies)])];
}

/** @param {Package} pkg */
async function readme(pkg) {
  const snippets = snippetsOf(pkg.dir);
  if (snippets.length === 0) {
    await check(`${pkg.name} README`, async () => ({ code: 1, output: "no README.md with a runnable ```ts snippet" }));
  }
  for (const [i, snippet] of snippets.entries()) {
    await check(`${pkg.name} README, snippet ${i + 1} of ${snippets.length}`, async () => {
      const program = join(everything, `${pkg.name.replaceAll(/\W/g, "-")}-${i}.mjs`);
      try {
        writeFileSync(program, (await transform(snippet, { loader: "ts", target: "es2022", format: "esm" })).code);
      } catch (error) {
        return { code: 1, output: String(error) };
      }
      return run("node", [program], { ...system, cwd: everything });
    });
  }
}

/** @param {string} dir @returns {string[]} the runnable snippets of its README */
function snippetsOf(dir) {
  const file = join(root, dir, "README.md");
  const text = existsSync(file) ? readFileSync(file, "utf8") : "";
  return [...text.matchAll(/^```ts *\n(.*?)^```/gms)].map((m) => m[1]);
}

/** An empty folder, the README's `npm install`, its example pasted into a file, and Node: without a warning. */
async function newcomer() {
  const dir = join(temp, "newcomer");
  mkdirSync(dir);
  const [, names = ""] = /^npm install (@nn.*)$/m.exec(readFileSync(join(root, "README.md"), "utf8")) ?? [];
  const needed = all.filter(({ name }) => names.split(" ").includes(name)).flatMap(withDependencies);
  const start = performance.now();
  const inside = { ...system, cwd: dir };
  await check("a newcomer installs what the README says, with no warning", async () => {
    const result = await run("npm", ["install", ...new Set(needed.map(({ name }) => tarballs[name]))], inside);
    return /warn|vulnerab/i.test(result.output.replace("found 0 vulnerabilities", ""))
      ? { ...result, code: 1 }
      : result;
  });
  for (const snippet of snippetsOf("")) {
    await check("a newcomer pastes the README's example and sees it train", async () => {
      writeFileSync(join(dir, "main.mjs"), snippet);
      const result = await run("node", ["main.mjs"], inside);
      const losses = result.output
        .trim()
        .split("\n")
        .map((line) => Number(line.split(" ")[1]));
      return losses.length === 4 && losses[3] < 0.5 * losses[0] ? result : { ...result, code: 1 };
    });
  }
  console.log(`        in ${((performance.now() - start) / 1000).toFixed(1)} s`);
}
