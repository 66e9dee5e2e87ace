// Every page is a program: its `ts` blocks, one after the other, run as they stand. Where a line ends in `// → text`, that is
// what it prints; `…` at the end stands for anything. A block that cannot run says so: ```ts no-run.

import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { format } from "node:util";
import { getBackend, setBackend } from "@nn/tensor";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { programOf } from "./program.js";

const site = fileURLToPath(new URL("..", import.meta.url));
const programs = join(site, "src", ".programs");
const pages = globSync("**/*.md", { cwd: site }).filter((p) => !/(^|\/)(node_modules|api|dist|README\.md)/.test(p));

mkdirSync(programs, { recursive: true });
afterAll(() => rmSync(programs, { recursive: true }));
const before = getBackend();
afterEach(() => {
  setBackend(before);
  vi.restoreAllMocks();
});

describe("the programs of the pages", () => {
  it("finds the pages", () => expect(pages.length).toBeGreaterThan(12));

  it.each(pages.sort())("%s", async (page) => {
    const { code, prints } = programOf(readFileSync(join(site, page), "utf8"));
    if (code === "") return;
    const file = join(programs, `${relative("", page).replaceAll("/", "-")}.ts`);
    writeFileSync(file, code);
    const lines: string[] = [];
    vi.spyOn(console, "log").mockImplementation((...args) => void lines.push(format(...args)));
    await import(/* @vite-ignore */ file);
    let next = 0;
    for (const want of prints) {
      const rest = lines.slice(next);
      const at = rest.findIndex((line) => fits(line, want));
      expect(at, `"${want}" among\n${rest.join("\n")}`).toBeGreaterThanOrEqual(0);
      next += at + 1;
    }
  });
});

const fits = (line: string, want: string) => (want.endsWith("…") ? line.startsWith(want.slice(0, -1)) : line === want);
