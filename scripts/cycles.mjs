/**
 * Imports point one way. Between files: no cycle of value imports (Biome's rule; `import type` may point back, since
 * it is gone when the code runs). Between packages: an import of `@nn/x` needs it among the package's dependencies
 * (a test may also use devDependencies, and @nn/testing, which itself depends on all packages), those have no cycle,
 * and no file reaches into another package by a path.
 */
import { globSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { packages, root, run } from "./workspace.mjs";

const all = packages();
const faults = [...all.flatMap(imports), ...packageCycles()];
for (const fault of faults) console.error(fault);

const { code } = await run("biome", [
  "lint",
  "--only=suspicious/noImportCycles",
  "--log-level=warn",
  "packages",
  "apps",
]);
if (faults.length === 0 && code === 0) console.log("no import cycles, all packages in order");
process.exit(faults.length > 0 ? 1 : code);

/* ---------------------------------------------------------------------------------------------------------------- */

/**
 * @param {import("./workspace.mjs").Package} pkg
 * @returns {string[]} what is wrong with the imports of its files
 */
function imports(pkg) {
  const dir = join(root, pkg.dir);
  return globSync("src/**/*.ts", { cwd: dir }).flatMap((file) => {
    const more = /\.test(-d)?\.ts$/.test(file) ? [...pkg.devDependencies, "@nn/testing"] : [];
    const allowed = [pkg.name, ...pkg.dependencies, ...more];
    return specifiers(readFileSync(join(dir, file), "utf8")).flatMap((specifier) => {
      const where = `${pkg.dir}/${file}: import of "${specifier}"`;
      if (specifier.startsWith(".")) {
        const target = relative(join(dir, "src"), resolve(dir, file, "..", specifier));
        return target.startsWith("..") ? [`${where} leaves the package's src: import the package by its name`] : [];
      }
      const name = specifier.split("/").slice(0, 2).join("/");
      if (!name.startsWith("@nn/") || (allowed.includes(name) && name !== pkg.name)) return [];
      if (name === pkg.name) return [`${where}: a package imports its own files by relative paths`];
      return [`${where}: ${name} is not among the dependencies of ${pkg.name}`];
    });
  });
}

/** @param {string} code */
function specifiers(code) {
  const statement = /^\s*(?:import|export)\b[^;"'`]*?\bfrom\s*["']([^"']+)["']|^\s*import\s*["']([^"']+)["']/gm;
  const call = /\bimport\(\s*["']([^"']+)["']\s*\)/g;
  return [...code.matchAll(statement), ...code.matchAll(call)].map((m) => m[1] ?? m[2]);
}

/** @returns {string[]} each cycle in the packages' dependencies; a devDependency may point back */
function packageCycles() {
  const byName = new Map(all.map((pkg) => [pkg.name, pkg]));
  /** @type {(name: string, path: string[]) => string[]} */
  const walk = (name, path) => {
    if (path.includes(name))
      return path[0] === name ? [`packages depend in a circle: ${[...path, name].join(" → ")}`] : [];
    return (byName.get(name)?.dependencies ?? []).flatMap((next) => walk(next, [...path, name]));
  };
  return all.flatMap((pkg) => walk(pkg.name, []));
}
