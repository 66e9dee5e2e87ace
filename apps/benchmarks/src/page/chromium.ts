/** A program in a page of headless Chromium that may share memory, and so have threads. */
import { createReadStream, existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { ROOT } from "../paths.js";
import type { Where } from "../result.js";
import { UserError } from "../user-error.js";

export interface PageOptions {
  /** WebGPU in software. */
  readonly software: boolean;
  /** A folder whose files are found under /files/. */
  readonly files?: string;
  /** Called by the page. */
  readonly calls: Readonly<Record<string, (...args: never[]) => unknown>>;
}

/** Whether there is one, and if not, what to say. */
export async function findBrowser(): Promise<{ path: string } | { missing: string }> {
  const { findChromium } = await chromiumScript();
  const path = findChromium();
  return path ? { path } : { missing: "--page needs Chromium: apt-get install chromium, or set NN_CHROMIUM." };
}

/**
 * Runs a script (a module) in a page, then its `window.start(given, where)`, and returns what that returns.
 *
 * @throws UserError without Chromium
 */
export async function inPage<T>(script: string, given: unknown, { software, files, calls }: PageOptions): Promise<T> {
  const found = await findBrowser();
  if ("missing" in found) throw new UserError(found.missing);
  const { chromiumArgs } = await chromiumScript();
  const args = software ? chromiumArgs : [...chromiumArgs.filter((arg) => !/swiftshader|dawn/.test(arg)), ...GPU_ARGS];
  const { chromium } = await import("playwright");
  const server = serve(script, files);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const browser = await chromium.launch({ executablePath: found.path, args: [...args] });
  try {
    const page = await browser.newPage();
    const errors: Error[] = [];
    page.on("pageerror", (error) => errors.push(error));
    for (const [name, call] of Object.entries(calls)) await page.exposeFunction(name, call);
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    if (errors[0]) throw errors[0];
    const where: Where = { where: "chromium", where_version: browser.version() };
    return (await page.evaluate(([given, where]) => (globalThis as any).start(given, where), [given, where])) as T;
  } catch (error) {
    const [, words] = /\bUserError: ([^\n]*)/.exec((error as Error).message) ?? [];
    throw words ? new UserError(words) : error;
  } finally {
    await browser.close();
    server.close();
  }
}

// ---------------------------------------------------------------------------------------------

/** Headless Chromium takes the machine's GPU only if it is told to. */
const GPU_ARGS = ["--enable-features=Vulkan", "--use-angle=vulkan", "--ignore-gpu-blocklist"];

function serve(script: string, files: string | undefined) {
  const types: Record<string, string> = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".wasm": "application/wasm",
  };
  return createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost"); // has no ".." any more
    response.setHeader("Cross-Origin-Opener-Policy", "same-origin");
    response.setHeader("Cross-Origin-Embedder-Policy", "require-corp");
    const send = (type: string, text: string) => response.writeHead(200, { "Content-Type": type }).end(text);
    if (pathname === "/") return send("text/html", `<!doctype html><script type="module" src="/script.js"></script>`);
    if (pathname === "/script.js") return send("text/javascript", script);
    const file = pathname.startsWith("/files/") && files ? join(files, pathname.slice("/files/".length)) : "";
    if (!existsSync(file)) return response.writeHead(404).end();
    response.writeHead(200, { "Content-Type": types[extname(file)] ?? "application/octet-stream" });
    return createReadStream(file).pipe(response);
  });
}

/** A script of the repository, no part of the bundle. */
function chromiumScript(): Promise<{ findChromium(): string | undefined; chromiumArgs: readonly string[] }> {
  return import(pathToFileURL(join(ROOT, "scripts/chromium.mjs")).href);
}
