// The golden families as Vite serves them to a page of tests.

import { parseFamily } from "./parse.js";

/** Addresses of the files, by their paths. */
const files = (import.meta as unknown as Glob).glob(["../../golden/*.json", "../../golden/*.safetensors"], {
  query: "?url",
  import: "default",
  eager: true,
});
interface Glob {
  glob(patterns: string[], options: object): Record<string, string>;
}

/** The cases of a family. */
export const load = async (family: string) => {
  const [json, binary] = ["json", "safetensors"].map((type) => files[`../../golden/${family}.${type}`]);
  const bytes = binary && new Uint8Array(await (await fetch(binary)).arrayBuffer());
  return parseFamily(family, await (await fetch(json!)).text(), bytes || undefined);
};
/** The names of the families. */
export const families = Object.keys(files).flatMap((path) => path.match(/([^/]+)\.json$/)?.[1] ?? []);
