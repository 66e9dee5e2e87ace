// Every page of the playground, in a real Chromium: it trains to a stated accuracy, pauses, takes what is drawn and dropped, and goes on
// after a reload; the console is quiet, and axe-core finds nothing that matters.

import { readFileSync } from "node:fs";
import { drawDigits } from "@nn/examples/digits";
import { random } from "@nn/examples/random";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findChromium, noChromium } from "../../../scripts/chromium.mjs";
import { say } from "../src/sound/words.js";
import { accessible, figure, PATIENCE, pauseAndStep, reload, Site, state, train, type Visit } from "./browser.js";
import { idx, pictures, wav } from "./files.js";

/** What is so in a while. */
const eventually = (what: () => unknown) => expect.poll(what, { timeout: PATIENCE });

const chromium = findChromium();
if (!chromium) console.log(noChromium);

describe.skipIf(!chromium)("the playground", { timeout: 2 * PATIENCE }, () => {
  const site = new Site();
  beforeAll(() => site.open(), PATIENCE);
  afterAll(() => site.close());

  /** What every page must keep to. Time is only told: the machine may have other work. */
  const begin = async (address: string): Promise<Visit> => {
    const visit = await site.visit(address);
    await state(visit.page, "paused");
    const size = visit.scripts();
    console.log(`${address}: first load ${size.toFixed(1)} KB of script, packed`);
    expect(size).toBeLessThan(150);
    return visit;
  };
  const end = async ({ page, faults }: Visit) => {
    await accessible(page);
    expect(faults).toEqual([]);
    await page.context().close();
  };
  const told = async (visit: Visit, what: string) =>
    console.log(`${what}; longest task of the page while it trained: ${await visit.longest()} ms`);

  it("has a first page that leads to the others", async () => {
    const { page, faults } = await site.visit("index.html");
    await accessible(page);
    await page.getByRole("link", { name: "Digits", exact: true }).click();
    await state(page, "paused");
    expect(faults).toEqual([]);
    await page.context().close();
  });

  it("Digits: reads, looks inside, goes to another backend, keeps and shares", async () => {
    const visit = await begin("digits.html");
    const { page } = visit;
    await pauseAndStep(page);
    await visit.longest();
    await train(page);
    await eventually(() => figure(page, "Test right")).toBeGreaterThan(95);
    await told(visit, `Digits: ${await figure(page, "Test right")} % right after 300 steps`);
    await reload(page);

    // A 1 by mouse, a 7 by keyboard.
    const pad = page.locator("#pad");
    const { x, y, width } = (await pad.boundingBox())!;
    await page.click("#clear");
    await page.mouse.move(x + width / 2, y + 0.1 * width);
    await page.mouse.down();
    await page.mouse.move(x + width / 2, y + 0.9 * width, { steps: 8 });
    await page.mouse.up();
    const top = () => page.locator("#bars li.top > span").first().textContent();
    await eventually(top).toBe("1");
    await pad.press("7");
    await eventually(top).toBe("7");
    await pad.press("Delete");
    for (const key of [" ", ...Array(8).fill("ArrowDown"), " "]) await pad.press(key);
    await eventually(top).toBe("1");
    await eventually(() => page.textContent("#heard")).toMatch(/^It reads 1, /);
    expect(await page.locator("#stages canvas").count()).toBe(5);

    // The weights as a file, and back into a network that knows nothing.
    const download = page.waitForEvent("download");
    await page.click("#save");
    const file = { name: "x.safetensors", mimeType: "", buffer: readFileSync(await (await download).path()) };
    await page.click("#reset");
    await page.waitForFunction(() => document.querySelector("#run dd")?.textContent === "0");
    await state(page, "paused");
    await page.setInputFiles("input[aria-label='Load model']", file);
    await eventually(() => page.textContent("#said")).toBe("The weights are those of x.safetensors.");
    await eventually(top).toBe("1");
    await reload(page); // what was loaded is kept, too
    await page.click("#clear");
    await page.getByRole("button", { name: "Show an example of 7" }).click();
    await eventually(top).toBe("7");

    // A checkpoint goes to another backend; the address has what was chosen.
    await page.click("#step");
    await page.selectOption("#set-backend", "reference");
    await eventually(() => page.textContent("#said")).toBe("Resumed at step 1.");
    expect(await page.textContent("#size")).toContain("plain JavaScript");
    expect(await page.textContent("#run dd small")).toMatch(/^last on WebAssembly, \d threads?: [\d,]+$/);
    expect(page.url()).toContain("backend=reference");
    await page.selectOption("#set-backend", "wasm");
    await state(page, "paused");

    // MNIST's files; here with drawn digits in them.
    const { inputs, labels } = drawDigits(300, 5);
    const bytes = Uint8Array.from(inputs, (v) => 255 * v);
    const parts = { train: "train", t10k: "t10k" };
    await page.setInputFiles(
      "input[aria-label='Choose MNIST files']",
      Object.keys(parts).flatMap((part) => [
        { name: `${part}-images-idx3-ubyte`, mimeType: "", buffer: idx(bytes, [300, 28, 28]) },
        { name: `${part}-labels-idx1-ubyte`, mimeType: "", buffer: idx(Uint8Array.from(labels), [300]) },
      ]),
    );
    await eventually(() => page.url()).toContain("data=mnist");
    await eventually(() => page.textContent("#mistakes-text")).toContain("of 300 test digits");
    await page.click("#step");
    await eventually(() => page.textContent("#said")).toBe("Step 1.");

    // Few shots: six pictures each of three things.
    await page.click("#own > summary");
    const things = page.locator(".things li");
    for (const i of [0, 1, 2]) {
      await things
        .nth(i)
        .locator("input[type=file]")
        .setInputFiles(await pictures(page, i, 6));
      await eventually(() => things.nth(i).textContent()).toContain("6 pictures");
    }
    await page.getByLabel("Name of thing 2").fill("squares");
    await page.getByLabel("Name of thing 2").press("Tab");
    const square = async () => {
      await page.setInputFiles("input[aria-label='Choose a picture']", await pictures(page, 1, 1));
      const bar = page.locator("#own-bars li").nth(1);
      await eventually(async () =>
        Number.parseInt((await bar.locator("span").last().textContent())!, 10),
      ).toBeGreaterThan(50);
      expect(await bar.textContent()).toMatch(/^squares/);
    };
    await page.click("#own-train");
    await eventually(() => page.textContent("#own-said")).toMatch(/^Trained 120 steps: (9|100)/);
    await square();

    // The network goes on knowing them: after a reload, and as a file when all was forgotten.
    await reload(page);
    await page.click("#own > summary");
    await eventually(() => page.textContent("#own-said")).toMatch(/^Trained 120 steps: (9|100)/);
    await square();
    const ownDownload = page.waitForEvent("download");
    await page.click("#own-save");
    const ownFile = { ...file, name: "own.safetensors", buffer: readFileSync(await (await ownDownload).path()) };
    await page.getByRole("button", { name: "Forget all" }).click();
    await eventually(() => things.first().textContent()).toContain("0 pictures");
    await reload(page);
    await page.click("#own > summary");
    await page.getByLabel("Name of thing 2").fill("other");
    await page.setInputFiles("#own input[aria-label='Load model']", ownFile);
    await eventually(() => page.textContent("#own-said")).toContain("own.safetensors");
    await square();
    for (const i of [0, 1])
      await things
        .nth(i)
        .locator("input[type=file]")
        .setInputFiles(await pictures(page, i, 6));
    await page.getByRole("button", { name: "Use the camera" }).click();
    await page.getByRole("button", { name: "5 from camera: thing A" }).click();
    await eventually(() => page.locator(".things li").first().textContent()).toContain("11 pictures");
    await page.getByRole("button", { name: "Stop the camera" }).click();
    await end(visit);
  });

  it("Memory lab: gates remember what the plain network forgets", async () => {
    const visit = await begin("memory.html?steps=30&goal=100");
    const { page } = visit;
    await pauseAndStep(page);
    await page.selectOption("#set-goal", "400");
    await visit.longest();
    await train(page);
    for (const cell of ["GRU", "LSTM"]) await eventually(() => figure(page, cell)).toBeGreaterThan(95);
    expect(await figure(page, "RNN")).toBeLessThan(50);
    await told(
      visit,
      `Memory lab: GRU ${await figure(page, "GRU")} %, RNN ${await figure(page, "RNN")} % after 400 steps`,
    );
    // The gradient in the first step: gone in the plain network, there in the GRU.
    const first = async (cell: string) =>
      Number(
        /power of (-?[\d.]+)/.exec(
          (await page.locator(`[aria-labelledby=${cell}-title] .heat`).first().getAttribute("aria-label"))!,
        )![1],
      );
    await eventually(() => first("RNN")).toBeLessThan(-4);
    await page.selectOption("#set-gate", "read");
    await eventually(() => page.locator("[aria-labelledby=GRU-title] figcaption").last().textContent()).toMatch(
      /Gate r /,
    );
    await page.click("#another");
    await reload(page);
    await page.selectOption("#set-task", "adding");
    await state(page, "paused");
    await eventually(() => page.textContent("#guess")).toContain("0.167");
    await end(visit);
  });

  it("Text: learns, writes, takes what is pasted", async () => {
    const visit = await begin("text.html?goal=100&hidden=64");
    const { page } = visit;
    await pauseAndStep(page);
    await visit.longest();
    await train(page);
    const bits = () => figure(page, "Bits per character"); // of the first
    await eventually(bits).toBeLessThan(3.4);
    await told(visit, `Text: ${await bits()} bits per character after 100 steps, from 5.9`);
    await page.fill("#start", "ROMEO:");
    await page.click("#write");
    for (const cell of ["RNN", "GRU", "LSTM"]) {
      await eventually(() => page.locator(`[aria-labelledby=${cell}-title] .written`).textContent()).toMatch(
        /^ROMEO:(.|\n){300}/,
      );
    }
    await reload(page);
    await page.selectOption("#set-cells", "GRU");
    await state(page, "paused");
    expect(await page.locator("#cells > section:visible").count()).toBe(1);
    await page.getByText("A text of your own").click();
    await page.fill("#own-text", "tick tock, ".repeat(300));
    await page.click("#use");
    await eventually(() => page.textContent("#about")).toMatch(/^3,300 characters of 7 kinds/);
    await state(page, "paused");
    await train(page);
    await eventually(bits).toBeLessThan(0.3);
    await end(visit);
  });

  it("Forecast: beats the naive baseline, and says how sure it is", async () => {
    const visit = await begin("forecast.html");
    const { page } = visit;
    await pauseAndStep(page);
    await visit.longest();
    await train(page);
    await eventually(async () => (await figure(page, "Error")) < 0.9 * (await figure(page, "Naive error"))).toBe(true);
    const covered = () => page.textContent("#coverage").then((text) => Number.parseInt(text!, 10));
    await eventually(async () => Math.abs((await covered()) - 80)).toBeLessThan(12);
    await told(
      visit,
      `Forecast: error ${await figure(page, "Error")}, naive ${await figure(page, "Naive error")}; ${await page.textContent("#coverage")}`,
    );
    const download = page.waitForEvent("download");
    await page.click("#export");
    const csv = readFileSync(await (await download).path(), "utf8").split("\n");
    expect(csv[0]).toBe("row,power_kw,low_10,median,high_90,naive");
    expect(csv.at(-1)).toMatch(/^2903,,[\d.]+,[\d.]+,[\d.]+,[\d.]+$/);
    await reload(page);
    const rows = Array.from({ length: 400 }, (_, t) => `${t},${Math.sin(t / 3).toFixed(4)},x`);
    await page.setInputFiles("input[aria-label='Choose a CSV file']", {
      name: "wave.csv",
      mimeType: "text/csv",
      buffer: Buffer.from(["time,wave,word", ...rows].join("\n")),
    });
    await eventually(() => page.locator("#set-column").inputValue()).toBe("wave");
    await eventually(() => page.textContent("#about")).toContain("400 rows");
    await state(page, "paused");
    await page.click("#step");
    await eventually(() => page.textContent("#said")).toBe("Step 1.");
    await reload(page);
    await end(visit);
  });

  it("Sound: tells words apart, and hears them live", async () => {
    const visit = await begin("sound.html");
    const { page } = visit;
    await pauseAndStep(page);
    await visit.longest();
    await train(page);
    await eventually(() => figure(page, "Words right")).toBeGreaterThan(90);
    await told(visit, `Sound: ${await figure(page, "Words right")} % of the words right after 150 steps`);
    await page.click("#play-some");
    await eventually(() => page.locator("#heard-words li").count()).toBeGreaterThan(0);
    await page.click("#microphone"); // Chromium's own beeps
    await eventually(() => page.textContent("#microphone")).toBe("Stop listening");
    await page.click("#microphone");
    await reload(page);
    const source = random(3);
    const files = ["rise", "hum"].flatMap((word) =>
      Array.from({ length: 5 }, (_, i) => ({
        name: `${word}_${i}.wav`,
        mimeType: "audio/wav",
        buffer: wav(say(word, source), 8000),
      })),
    );
    await page.setInputFiles("input[aria-label='Choose WAV files']", files);
    await eventually(() => page.textContent("#about")).toContain("Words: hum, rise.");
    await state(page, "paused");
    await page.fill("#word", "beep");
    await page.click("#record");
    await eventually(() => page.textContent("#own-count")).toContain("beep: 1");
    await end(visit);
  });
});
