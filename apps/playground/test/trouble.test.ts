// What goes wrong around the pages is said on them, and nothing is lost: files that are something else, networks that do not fit, no
// microphone or camera, a full disk, a worker that dies.

import { saveSafetensors } from "@nn/io";
import { tensor } from "@nn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findChromium } from "../../../scripts/chromium.mjs";
import { figure, PATIENCE, Site, state } from "./browser.js";
import { pictures } from "./files.js";

const eventually = (what: () => unknown) => expect.poll(what, { timeout: PATIENCE });
const file = (name: string, content: string | Uint8Array) => ({ name, mimeType: "", buffer: Buffer.from(content) });

/** A safetensors file of one number. */
const safetensors = (metadata: Readonly<Record<string, string>>) =>
  saveSafetensors({ "w.bias": tensor([1]) }, { metadata });

const chromium = findChromium();
describe.skipIf(!chromium)(
  `the playground, when something goes wrong${chromium ? "" : " (no Chromium here)"}`,
  { timeout: 2 * PATIENCE },
  () => {
    const site = new Site();
    beforeAll(() => site.open(), PATIENCE);
    afterAll(() => site.close());

    /** A page with some steps done. */
    const visit = async (address: string) => {
      const { page, faults } = await site.visit(address);
      await state(page, "paused");
      await page.click("#step");
      const said = () => page.textContent("#said");
      await eventually(said).toBe("Step 1.");
      /** Says what is wrong with a file, and goes on as before. */
      const refuses = async (button: string, files: ReturnType<typeof file>, what: RegExp) => {
        await page.setInputFiles(`input[aria-label='${button}']`, files);
        await eventually(said).toMatch(what);
        expect(await page.getAttribute("#said", "class")).toContain("wrong");
        expect(await figure(page, "Step")).toBe(1);
      };
      const end = async () => {
        expect(faults).toEqual([]);
        await page.reload();
        await state(page, "paused");
        expect(await said()).toBe("Resumed at step 1.");
        await page.context().close();
      };
      return { page, faults, said, refuses, end };
    };

    it("refuses files that are something else", async () => {
      const digits = await visit("digits.html");
      await digits.refuses(
        "Load model",
        file("x.safetensors", "no network"),
        /^x\.safetensors does not fit here: safetensors: /,
      );
      await digits.refuses(
        "Load model",
        file("y.safetensors", await safetensors({})),
        /^y\.safetensors does not fit here: .*missing keys/,
      );
      const made = (maker: unknown) => safetensors({ "nn.playground": JSON.stringify(maker) });
      const sound = await made({ page: "sound", lane: "listener", settings: {} });
      await digits.refuses(
        "Load model",
        file("s.safetensors", sound),
        /it is a network of the page “sound”, and this is “digits”/,
      );
      const settings = { data: "drawn", count: 2000, channels: 16, kernel: 3, dropout: 0, lr: 0.003, batch: 32 };
      const wide = await made({ page: "digits", lane: "cnn", settings });
      await digits.refuses(
        "Load model",
        file("w.safetensors", wide),
        /it was made with Filters 16 instead of 8\. Choose the same/,
      );
      await digits.refuses("Choose MNIST files", file("holiday.jpg", "no digits"), /^These are not MNIST's files/);
      await digits.refuses(
        "Choose MNIST files",
        file("train-images-idx3-ubyte", "no digits"),
        /^train-images-idx3-ubyte is no file of MNIST: /,
      );
      await digits.page.click("#own > summary");
      await digits.page.locator(".things li input[type=file]").first().setInputFiles(file("cup.png", "no picture"));
      await eventually(() => digits.page.textContent("#own-said")).toBe(
        "cup.png is no picture that this browser can read.",
      );
      await digits.end();

      const forecast = await visit("forecast.html");
      await forecast.refuses(
        "Choose a CSV file",
        file("cat.png", Uint8Array.of(137, 80, 78, 71, 0, 1)),
        /^cat\.png is no table: it is no text/,
      );
      await forecast.refuses(
        "Choose a CSV file",
        file("words.csv", "a,b\nc,d\ne,f\n"),
        /^words\.csv is no table: no column has numbers/,
      );
      await forecast.end();

      const recorded = await visit("sound.html");
      await recorded.refuses(
        "Choose WAV files",
        file("yes_1.wav", "no sound"),
        /^yes_1\.wav is no WAV file: readWav: expected a WAV file/,
      );
      await recorded.end();

      const text = await visit("text.html?cells=GRU&hidden=64");
      await text.page.getByText("A text of your own").click();
      await text.refuses("Choose a text file", file("a.txt", "short"), /^The text is too short/);
      await text.refuses("Choose a text file", file("b.txt", new Uint8Array(2000).fill(255)), /^b\.txt is no text/);
      await text.end();
    });

    it("does without microphone and camera", async () => {
      const forbid = () => {
        const denied = async () => {
          throw new DOMException("Permission denied", "NotAllowedError");
        };
        Object.assign(navigator.mediaDevices, { getUserMedia: denied });
      };
      const sound = await visit("sound.html");
      await sound.page.evaluate(forbid);
      await sound.page.click("#microphone");
      await eventually(sound.said).toMatch(
        /^The microphone cannot be used: this browser does not allow it.* needs none\.$/,
      );
      expect(await sound.page.getAttribute("#microphone", "aria-pressed")).toBe("false");
      await sound.page.fill("#word", "yes");
      await sound.page.click("#record");
      await eventually(sound.said).toMatch(/^Recording failed: this browser does not allow it/);
      expect(await sound.page.textContent("#record")).toBe("Record it");
      await sound.end();

      const digits = await visit("digits.html");
      await digits.page.evaluate(forbid);
      await digits.page.click("#own > summary");
      await digits.page.getByRole("button", { name: "Use the camera" }).click();
      await eventually(() => digits.page.textContent("#own-said")).toMatch(
        /^The camera cannot be used: this browser does not/,
      );
      await digits.end();
    });

    it("trains on where nothing can be kept, and says so", async () => {
      const { page, faults, said } = await visit("digits.html");
      /** As a full disk is, for the page and its worker. */
      const fill = () => {
        const { prototype } = IDBObjectStore as unknown as { prototype: { put: unknown; whole?: unknown } };
        prototype.whole ??= prototype.put;
        prototype.put = () => {
          throw new DOMException("", "QuotaExceededError");
        };
      };
      const [worker] = page.workers();
      await page.evaluate(fill);
      await worker.evaluate(fill);
      await page.click("#step");
      await eventually(said).toBe("Step 2.");
      const warning = page.locator("#said-warning");
      expect(await warning.textContent()).toMatch(/^This page cannot keep its state: this browser has no room left/);
      await page.click("#own > summary");
      await page
        .locator(".things li input[type=file]")
        .first()
        .setInputFiles(await pictures(page, 0, 3));
      await eventually(() => page.textContent("#own-said-warning")).toMatch(
        /^These pictures cannot be kept: this browser has no room/,
      );
      expect(await page.locator(".things li").first().textContent()).toContain("3 pictures");
      await worker.evaluate(() => {
        const { prototype } = IDBObjectStore as unknown as { prototype: { put: unknown; whole: unknown } };
        prototype.put = prototype.whole;
      });
      await page.click("#step");
      await eventually(said).toBe("Step 3.");
      expect(await warning.isVisible()).toBe(false);
      expect(faults).toEqual([]);
      await page.reload();
      await state(page, "paused");
      expect(await said()).toBe("Resumed at step 3.");
      await page.context().close();
    });

    it("goes on after its worker has died", async () => {
      const { page, said } = await visit("memory.html");
      await page.click("#train");
      await state(page, "training");
      await page.workers()[1].evaluate(() => {
        setTimeout(() => {
          throw new Error("a fuse has blown");
        });
      });
      await state(page, "failed");
      expect(await said()).toMatch(
        /the worker died: .*a fuse has blown.* Try again goes on from where the page last kept its state/,
      );
      await page.getByRole("button", { name: "Try again" }).click();
      await state(page, "paused");
      expect(await said()).toMatch(/^Resumed at step [1-9]/);
      await page.click("#step");
      await eventually(said).toMatch(/^Step [1-9]/);
      await page.context().close();
    });
  },
);
