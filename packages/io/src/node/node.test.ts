import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { NNError } from "@nn/tensor";
import { build } from "esbuild";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import type { ReadProgress } from "../source/collect.js";
import { readPath, writePath } from "./index.js";

const root = mkdtempSync(join(tmpdir(), "nn-io-"));
afterAll(() => rmSync(root, { recursive: true }));
let folder: string;
let path: string;
beforeEach((context) => {
  folder = join(root, context.task.id);
  mkdirSync(folder);
  path = join(folder, "x.bin");
});

const content = Uint8Array.from({ length: 3_000_000 }, (_, i) => i * 7);

describe("readPath and writePath", () => {
  test("bytes, a buffer and text, by path and by URL", async () => {
    await writePath(path, content);
    const seen: ReadProgress[] = [];
    const back = await readPath(path, { onProgress: (progress) => seen.push(progress) });
    expect(Buffer.compare(back, content)).toBe(0);
    expect(seen.at(-1)).toEqual({ loaded: content.length, total: content.length });
    expect(seen.length).toBeGreaterThan(3);
    await writePath(pathToFileURL(path), "ä");
    expect(await readPath(pathToFileURL(path))).toEqual(Uint8Array.of(0xc3, 0xa4));
    await writePath(path, content.buffer.slice(0, 3));
    expect(await readPath(path)).toEqual(content.slice(0, 3));
    expect(readdirSync(folder)).toEqual(["x.bin"]);
  });

  test("links are followed, permissions stay", async () => {
    await writePath(path, "old");
    chmodSync(path, 0o600);
    const link = join(folder, "link");
    symlinkSync("x.bin", link);
    await writePath(link, "new");
    expect(readFileSync(path, "utf8")).toBe("new");
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(["link", "x.bin"]);
  });

  test("checksum and abort", async () => {
    await writePath(path, content);
    await expect(readPath(path, { sha256: "0".repeat(64) })).rejects.toThrow(
      /readPath: expected .*x.bin to have SHA-256/,
    );
    await expect(readPath(path, { signal: AbortSignal.abort("enough") })).rejects.toBe("enough");
  });

  test("errors of the system", async () => {
    await expect(readPath(path)).rejects.toThrow(/readPath: expected to read .*x.bin, got ENOENT. No such file/);
    await expect(readPath(folder)).rejects.toThrow(/got EISDIR/);
    await expect(writePath(join(path, "y"), "")).rejects.toThrow(/writePath: expected to write .*y, got ENOENT/);
    const taken = join(folder, "folder");
    mkdirSync(taken);
    await expect(writePath(taken, "")).rejects.toThrow(NNError);
    expect(readdirSync(folder)).toEqual(["folder"]);
  });
});

test("a program that is killed while it writes leaves a whole file", async () => {
  const program = join(folder, "program.mjs");
  const loop = `import { writePath } from "./index.ts";
    for (let i = 0; ; i++) {
      await writePath(process.argv[2], new Uint8Array(400_000 + i).fill(i));
      if (i === 0) console.log("started");
    }`;
  await bundle({ stdin: { contents: loop, resolveDir: fileURLToPath(new URL(".", import.meta.url)) } }, program);
  for (let kill = 0; kill < 12; kill++) {
    const child = spawn(process.execPath, [program, path], { stdio: ["ignore", "pipe", "inherit"] });
    await once(child.stdout, "data");
    setTimeout(() => child.kill("SIGKILL"), (kill * 37) % 60);
    await once(child, "exit");
    const bytes = readFileSync(path);
    const i = bytes.length - 400_000;
    expect(i).toBeGreaterThanOrEqual(0);
    expect(bytes.every((byte) => byte === (i & 255))).toBe(true);
  }
});

test("the main entry has no import of Node's", async () => {
  const entry = fileURLToPath(new URL("../index.ts", import.meta.url));
  await bundle({ entryPoints: [entry], platform: "browser" }, join(folder, "browser.mjs")); // fails for one
  expect(readFileSync(join(folder, "browser.mjs"), "utf8")).not.toMatch(/["']node:/);
});

function bundle(what: object, outfile: string): Promise<unknown> {
  const tensor = fileURLToPath(new URL("../../../tensor/src/index.ts", import.meta.url));
  return build({
    bundle: true,
    format: "esm",
    platform: "node",
    logLevel: "silent",
    alias: { "@nn/tensor": tensor },
    outfile,
    ...what,
  });
}
