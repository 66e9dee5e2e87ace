// The built pages on a plain static host, under a path of its own, in a real Chromium; and what every test of a page does.

import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { type Browser, chromium, type Page } from "playwright";
import { build } from "vite";
import { expect } from "vitest";
import { chromiumArgs, findChromium } from "../../../scripts/chromium.mjs";
import { isolation } from "../vite.config.js";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".txt": "text/plain",
};
const BASE = "/some/path/";
/** Milliseconds for anything that must happen at last. Generous: a machine that does other things, too, is no fault of the page. */
export const PATIENCE = 120_000;
const axe = readFileSync(new URL(import.meta.resolve("axe-core/axe.min.js")), "utf8");

/** A page that a test drives. */
export interface Visit {
  readonly page: Page;
  /** What the console said that it should not; a test may take out what it caused. */
  readonly faults: string[];
  /** Kilobytes of script, packed, that came so far: those of workers, too. */
  scripts(): number;
  /** Milliseconds of the longest task of the page's thread since the last call. */
  longest(): Promise<number>;
}

export class Site {
  #folder = "";
  #server: Server | null = null;
  #browser: Browser | null = null;

  async open(): Promise<void> {
    this.#folder = mkdtempSync(join(tmpdir(), "nn-playground-"));
    const configFile = fileURLToPath(new URL("../vite.config.ts", import.meta.url));
    await build({ configFile, logLevel: "error", build: { outDir: this.#folder } });
    this.#server = createServer((request, response) => {
      const { pathname } = new URL(request.url ?? "/", "http://localhost");
      const file = join(this.#folder, pathname.slice(BASE.length));
      if (!pathname.startsWith(BASE) || !statSync(file, { throwIfNoEntry: false })?.isFile()) {
        response.writeHead(404).end();
        return;
      }
      const type = TYPES[extname(file)] ?? "application/octet-stream";
      response.writeHead(200, { ...isolation, "Content-Type": type }).end(readFileSync(file));
    });
    await new Promise<void>((resolve) => this.#server!.listen(0, "127.0.0.1", resolve));
    const media = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"];
    this.#browser = await chromium.launch({ executablePath: findChromium()!, args: [...chromiumArgs, ...media] });
  }

  async close(): Promise<void> {
    await this.#browser?.close();
    this.#server?.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** A page in a browser of its own, that is: with nothing stored. */
  async visit(address: string): Promise<Visit> {
    const context = await this.#browser!.newContext({ viewport: { width: 1280, height: 900 } });
    context.setDefaultTimeout(PATIENCE);
    const page = await context.newPage();
    const faults: string[] = [];
    const scripts = new Map<string, number>();
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") faults.push(message.text());
    });
    page.on("pageerror", (error) => faults.push(`${error}`));
    context.on("response", async (response) => {
      if (!response.url().endsWith(".js")) return;
      const body = await response.body().catch(() => Buffer.alloc(0));
      scripts.set(response.url(), gzipSync(body).length / 1000);
    });
    await page.addInitScript(() => {
      const seen = { longest: 0 };
      Object.assign(window, { seen });
      new PerformanceObserver((list) => {
        for (const { duration } of list.getEntries()) seen.longest = Math.max(seen.longest, duration);
      }).observe({ type: "longtask", buffered: true });
    });
    const { port } = this.#server!.address() as AddressInfo;
    await page.goto(`http://127.0.0.1:${port}${BASE}${address}`);
    return {
      page,
      faults,
      scripts: () => [...scripts.values()].reduce((a, b) => a + b, 0),
      longest: () =>
        page.evaluate(() => {
          const { seen } = window as unknown as { seen: { longest: number } };
          const { longest } = seen;
          seen.longest = 0;
          return longest;
        }),
    };
  }
}

/** Waits until training is in this state; where it fails instead, says why. */
export async function state(page: Page, state: "paused" | "training" | "failed"): Promise<void> {
  const seen = await page.waitForFunction(
    (state) => {
      const now = document.documentElement.dataset["state"] ?? "";
      return ["failed", state].includes(now) && { now, said: document.querySelector("#said")?.textContent ?? "" };
    },
    state,
    { polling: 50 },
  );
  const { now, said } = (await seen.jsonValue()) as { now: string; said: string };
  expect(now, said).toBe(state);
}

/** A figure of the run bar, as a number. */
export async function figure(page: Page, name: string): Promise<number> {
  const title = page.locator("dt", { hasText: new RegExp(`^${name}$`) });
  const text = await page.locator("#run dl > div").filter({ has: title }).locator("dd").textContent();
  return Number.parseFloat((text ?? "").replaceAll(",", ""));
}

/** Trains until it pauses by itself. */
export async function train(page: Page): Promise<void> {
  await page.click("#train");
  await state(page, "training");
  await state(page, "paused");
  expect(await page.textContent("#said")).toMatch(/^Done/);
}

/** Pauses in the middle, sees that nothing goes on, and does single steps. */
export async function pauseAndStep(page: Page): Promise<void> {
  const goal = await page.inputValue("#set-goal");
  await page.selectOption("#set-goal", { label: "never" }); // else it may pause by itself before the button is pressed
  await page.click("#train");
  await page.waitForFunction(() => Number(document.querySelector("#run dd")?.textContent) > 2);
  await page.click("#train");
  await state(page, "paused");
  const held = await figure(page, "Step");
  await page.waitForTimeout(200);
  expect(await figure(page, "Step")).toBe(held);
  await page.click("#step");
  await page.waitForFunction((step) => Number(document.querySelector("#run dd")?.textContent) === step, held + 1);
  await state(page, "paused");
  await page.selectOption("#set-goal", goal);
}

/** After a reload all is as it was. */
export async function reload(page: Page): Promise<void> {
  const step = await figure(page, "Step");
  await page.reload();
  await state(page, "paused");
  const warning = (await page.textContent("#said-warning")) ?? "";
  expect(await page.textContent("#said"), warning).toBe(`Resumed at step ${step}.`);
}

/** No violation that matters, in light and in dark; nothing wider than a phone. */
export async function accessible(page: Page): Promise<void> {
  await page.evaluate(axe);
  const check = () =>
    page.evaluate(async () => {
      const { violations } = await (window as unknown as { axe: typeof import("axe-core") }).axe.run();
      return violations
        .filter(({ impact }) => impact === "serious" || impact === "critical")
        .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(" | ")}`);
    });
  expect(await check()).toEqual([]);
  await page.getByRole("button", { name: "Dark theme" }).click();
  expect(await check()).toEqual([]);
  await page.getByRole("button", { name: "Light theme" }).click();
  const { width, height } = page.viewportSize()!;
  await page.setViewportSize({ width: 390, height: 844 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
  await page.setViewportSize({ width, height });
}
