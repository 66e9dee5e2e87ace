// Reads golden families from a directory: NAME.json says what there is, NAME.safetensors has the numbers.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { GoldenCase } from "./case.js";
import { parseFamily } from "./parse.js";

/** The names of the families in a directory, sorted. */
export function familiesIn(dir: string): string[] {
  if (!existsSync(dir)) throw new Error(`no directory ${dir}`);
  const names = readdirSync(dir)
    .filter((f) => f.endsWith(".json"))
    .map((f) => f.slice(0, -".json".length));
  if (names.length === 0) throw new Error(`no golden families (*.json) in ${dir}`);
  return names.sort();
}

/** The cases of a family. @throws where the two files do not say the same */
export function loadFamily(dir: string, family: string): GoldenCase[] {
  const binary = join(dir, `${family}.safetensors`);
  return parseFamily(
    family,
    readFileSync(join(dir, `${family}.json`), "utf8"),
    existsSync(binary) ? readFileSync(binary) : undefined,
  );
}
