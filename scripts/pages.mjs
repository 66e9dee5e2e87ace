/**
 * The packages in web pages, as users serve them: plain modules, Vite's build and its dev server, esbuild's single file,
 * in a worker and in an AudioWorklet; with strict content security policies, and with and without the headers that
 * shared memory needs. Part of `npm run health`.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { build as bundle } from "esbuild";
import { chromium } from "playwright";
import { build, createServer as createVite } from "vite";
import { chromiumArgs, findChromium, noChromium } from "./chromium.mjs";

/** Trains for some steps, and says on what. */
const work = `
import { compile, manualSeed, Module, randn, setBackend } from "@nn/tensor";
import { Linear, mse } from "@nn/layers";
import { Adam } from "@nn/optim";
import { wasm } from "@nn/backend-wasm";

class Net extends Module {
  first = new Linear(4, 8);
  second = new Linear(8, 1);
  forward(x) { return this.second.forward(this.first.forward(x).tanh()); }
}
export async function work(options) {
  const backend = await wasm({ parallelFrom: 0, ...options });
  const { threads } = backend;
  setBackend(backend);
  manualSeed(1);
  const net = new Net();
  const optimizer = new Adam(net.parameters(), { lr: 0.05 });
  const x = randn([64, 4]);
  const y = x.square().sum(1, { keepDims: true });
  const step = compile((x, y) => optimizer.minimize(() => mse(net.forward(x), y)));
  const first = await step(x, y).item();
  let last = first;
  for (let i = 0; i < 100; i++) last = await step(x, y).item();
  backend.dispose();
  return { threads, learned: last < first / 2 };
}`;

/** A GRU and a head, block by block, where sound is made; after 16 blocks all of it at once, which has to give the same. */
const follow = `
import { Module, randn, setBackend } from "@nn/tensor";
import { Linear } from "@nn/layers";
import { GRU, stream } from "@nn/recurrent";
import { recurrentKernels } from "@nn/recurrent/wasm";
import { wasm } from "@nn/backend-wasm";

class Net extends Module {
  gru = new GRU(128, 32);
  head = new Linear(32, 128);
  forward(x) { return this.head.forward(this.gru.forward(x).output); }
}
export async function follow(options) {
  setBackend(await wasm({ ...options, kernels: recurrentKernels }));
  const net = new Net();
  const live = stream(net);
  await live.ready;
  const x = randn([16, 1, 128]);
  const blocks = await x.read();
  const want = await net.forward(x).read();
  let t = 0;
  let same = true;
  return (out) => {
    const y = live.step(blocks.subarray(128 * t, 128 * (t + 1)));
    out.set(y);
    for (let i = 0; i < 128; i++) same &&= Object.is(y[i], want[128 * t + i]);
    return ++t === 16 ? { same } : null;
  };
}`;

/** What a page, a worker or a worklet does with it. Options come in the address. */
const files = {
  "work.js": work,
  "follow.js": follow,
  "page.js": `
    import { work } from "./work.js";
    window.result = work(JSON.parse(decodeURIComponent(location.search.slice(1))));`,
  "in-worker.js": `
    import { work } from "./work.js";
    onmessage = async ({ data }) => postMessage(await work(data).catch((e) => ({ error: String(e) })));`,
  "from-worker.js": `
    window.result = new Promise((resolve, reject) => {
      const worker = new Worker("./one/in-worker.js", { type: "module" });
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = reject;
      worker.postMessage(JSON.parse(decodeURIComponent(location.search.slice(1))));
    });`,
  "in-worklet.js": `
    import { work } from "./work.js";
    import { follow } from "./follow.js";
    registerProcessor("nn", class extends AudioWorkletProcessor {
      constructor() {
        super();
        this.port.onmessage = async ({ data }) => {
          try {
            this.done = await work(data);
            this.live = await follow(data);
            this.port.postMessage("ready");
          } catch (e) {
            this.port.postMessage({ error: String(e) });
          }
        };
      }
      // Sound comes in blocks of 128 samples: each is a step of the stream, at once.
      process(_, [[out]]) {
        if (this.live) {
          const heard = this.live(out);
          if (heard) {
            this.port.postMessage({ ...this.done, learned: this.done.learned && heard.same });
            this.live = null;
          }
        }
        return true;
      }
    });`,
  "from-worklet.js": `
    const start = async () => {
      const context = new OfflineAudioContext(1, 128 * 1000, 44100);
      await context.audioWorklet.addModule("./one/in-worklet.js");
      const node = new AudioWorkletNode(context, "nn", { numberOfInputs: 0 });
      node.connect(context.destination);
      const answer = new Promise((resolve) => {
        node.port.onmessage = ({ data }) => (data === "ready" ? context.startRendering() : resolve(data));
      });
      node.port.postMessage(JSON.parse(decodeURIComponent(location.search.slice(1))));
      return answer;
    };
    window.result = start();`,
};

const page = (/** @type {string} */ script, head = "") =>
  `<!doctype html><title>nn</title>${head}<script type="module" src="./${script}"></script>`;

const isolation = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

/**
 * @param {string} dir a project in which all packages are installed
 * @param {(name: string, step: () => Promise<{ code: number, output: string }>) => Promise<void>} check
 */
export async function checkPages(dir, check) {
  const executablePath = findChromium();
  if (!executablePath) return console.log(noChromium);
  const importMap = JSON.stringify({
    imports: Object.fromEntries(
      ["tensor", "layers", "optim", "backend-wasm"].map((n) => [`@nn/${n}`, `./node_modules/@nn/${n}/dist/index.js`]),
    ),
  });
  const csp = `script-src 'self' 'wasm-unsafe-eval' 'sha256-${createHash("sha256").update(importMap).digest("base64")}'`;
  const map = `<script type="importmap">${importMap}</script>`;
  const pages = {
    "plain.html": page("page.js", map),
    "one.html": page("one/page.js"),
    "worker.html": page("from-worker.js"),
    "worklet.html": page("from-worklet.js"),
    "index.html": page("page.js"), // what Vite builds and serves
  };
  for (const [name, text] of Object.entries({ ...files, ...pages })) writeFileSync(join(dir, name), text);

  /** @type {Record<string, Record<string, string>>} headers, by the first part of the address */
  const policies = {
    strict: { ...isolation, "Content-Security-Policy": csp },
    isolated: isolation,
    common: { "Content-Security-Policy": csp },
  };
  const types = { ".html": "text/html", ".js": "text/javascript", ".map": "application/json" };
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const [, policy, ...path] = pathname.split("/");
    const file = join(dir, ...path);
    if (!policies[policy ?? ""] || path.includes("..") || !existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    const type = types[/** @type {keyof typeof types} */ (extname(file))] ?? "application/octet-stream";
    response.writeHead(200, { ...policies[policy ?? ""], "Content-Type": type }).end(readFileSync(file));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const address = server.address();
  const origin = `http://127.0.0.1:${typeof address === "object" && address?.port}`;
  const browser = await chromium.launch({ executablePath, args: chromiumArgs });

  /**
   * @param {string} name
   * @param {string} url
   * @param {object} options for `wasm()`
   * @param {{ threads: number, warnings?: RegExp[] }} expected
   */
  const opens = (name, url, options, { threads, warnings = [] }) =>
    check(`in a page: ${name}`, async () => {
      const tab = await browser.newPage();
      /** @type {string[]} */
      const said = [];
      tab.on("console", (m) => {
        if (m.type() === "warning" && m.text().includes("@nn")) said.push(m.text());
      });
      tab.on("pageerror", (e) => said.push(`error: ${e.message}`));
      try {
        await tab.goto(`${url}?${encodeURIComponent(JSON.stringify(options))}`);
        await tab.waitForFunction("window.result", null, { timeout: 20_000 });
        const got = JSON.stringify(await tab.evaluate("window.result"));
        const want = JSON.stringify({ threads, learned: true });
        const fits = said.length === warnings.length && warnings.every((w, i) => w.test(said[i] ?? ""));
        return { code: got === want && fits ? 0 : 1, output: `got ${got}, expected ${want}\n${said.join("\n")}` };
      } catch (e) {
        return { code: 1, output: `${e}\n${said.join("\n")}` };
      } finally {
        await tab.close();
      }
    });

  const two = { threads: 2 };
  const one = { threads: 1 };
  const alone = [/works with one thread: .*Cross-Origin-Opener-Policy/];
  await opens("plain modules, strict CSP", `${origin}/strict/plain.html`, two, two);
  await opens("plain modules, page not isolated", `${origin}/common/plain.html`, two, { threads: 1, warnings: alone });
  await opens("plain modules, threads: 1", `${origin}/common/plain.html`, one, one);

  const entryPoints = ["page.js", "in-worker.js", "in-worklet.js"].map((file) => join(dir, file));
  await bundle({ entryPoints, outdir: join(dir, "one"), bundle: true, minify: true, format: "esm", logLevel: "error" });
  const workerUrl = "/strict/node_modules/@nn/backend-wasm/dist/worker.js";
  const blocked = [/works with one thread: workers did not start/];
  await opens("esbuild, one file", `${origin}/isolated/one.html`, two, two);
  await opens("esbuild, strict CSP, workerUrl", `${origin}/strict/one.html`, { ...two, workerUrl }, two);
  await opens("esbuild, strict CSP", `${origin}/strict/one.html`, two, { threads: 1, warnings: blocked });
  await opens("in a worker", `${origin}/strict/worker.html`, { ...two, workerUrl }, two);
  await opens("in an AudioWorklet", `${origin}/strict/worklet.html`, one, one);

  /** @type {import("vite").InlineConfig} */
  const vite = { root: dir, configFile: false, logLevel: "error", base: "./" };
  await build({ ...vite, build: { outDir: join(dir, "built"), minify: true } });
  await opens("Vite's build, strict CSP", `${origin}/strict/built/index.html`, two, two);
  /** @type {import("vite").ServerOptions} */
  const serve = { port: 0, host: "127.0.0.1", headers: isolation };
  const dev = await createVite({ ...vite, base: "/", server: serve });
  await dev.listen();
  await opens("Vite's dev server", dev.resolvedUrls?.local[0] ?? "", two, two);
  await dev.close();

  await browser.close();
  server.close();
}
