/**
 * Package health, judged on the tarballs that would be published: publint (strict), are-the-types-wrong, and each
 * package installed into an empty project and used there under the system's own Node, not the workspace's: first alone
 * with only the packages it depends on, then every `ts` snippet of its README. (A snippet that cannot run on its own
 * says so: ```ts no-run.) With names as arguments, only those packages.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { transform } from "esbuild";
import { manifest, packages, root, run } from "./workspace.mjs";

const all = packages().filter((pkg) => !pkg.private);
const wanted = process.argv.slice(2);
const checked = wanted.length > 0 ? all.filter(({ name }) => wanted.includes(name.replace("@nn/", ""))) : all;
const temp = mkdtempSync(join(tmpdir(), "nn-health-"));
process.on("exit", () => rmSync(temp, { recursive: true, force: true }));

/** The path without the workspace's tools, so that `node` and `npm` are the system's. */
const systemPath = (process.env.PATH ?? "").split(delimiter).filter((dir) => !dir.includes("node_modules"));
const system = { PATH: systemPath.join(delimiter) };
