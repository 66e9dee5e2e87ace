import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadSafetensors } from "@nn/io";
import { LSTM } from "@nn/recurrent";
import { manualSeed } from "@nn/tensor";
import { afterAll, describe, expect, it } from "vitest";
import { drawDigits } from "./digits.js";
import { MNIST_FILES } from "./idx.js";
import { DigitCNN, SequenceClassifier } from "./models.js";
import { drawSequences, FEATURES, SYMBOLS } from "./recall.js";
import { loadModel, sameBits, saveModel } from "./save.js";
import { commandIn } from "./test-data.js";
import { accuracy, decide, predict, train } from "./train.js";

const folder = mkdtempSync(join(tmpdir(), "nn-tour-test-"));
afterAll(() => rmSync(folder, { recursive: true }));

const run = commandIn(folder);

describe("train", () => {
  it("makes a CNN read digits better than by guessing, the same way for the same seed", async () => {
    const [training, test] = [drawDigits(320, 1), drawDigits(100, 2)];
    const once = async () => {
      manualSeed(1);
      const model = new DigitCNN();
      const steps: number[] = [];
      const losses = await train(model, training, { epochs: 3, batchSize: 16, lr: 0.005, seed: 1 }, (loss) =>
        steps.push(loss),
      );
      expect(losses).toHaveLength(60);
      expect(steps).toEqual(losses);
      return { losses, logits: await predict(model, test) };
    };
    const first = await once();
    expect(accuracy(decide(first.logits, test.count), test.labels)).toBeGreaterThan(0.5);
    const second = await once();
    expect(second.losses).toEqual(first.losses);
    expect(sameBits(second.logits, first.logits)).toBe(true);
  });

  it("makes an LSTM remember", async () => {
    manualSeed(1);
    const model = new SequenceClassifier(new LSTM(FEATURES, 16, { batchFirst: true }), SYMBOLS.length);
    const losses = await train(model, drawSequences(3200, 1), { epochs: 1, batchSize: 32, lr: 0.02, seed: 1 });
    expect(losses[0]).toBeCloseTo(Math.log(SYMBOLS.length), 0);
    expect(losses.slice(-10).reduce((sum, loss) => sum + loss, 0) / 10).toBeLessThan(losses[0] * 0.75);
  });
});

describe("predict and decide", () => {
  it("answers for every sample, whatever the batch", async () => {
    const test = drawSequences(7, 1);
    const model = new SequenceClassifier(new LSTM(FEATURES, 4, { batchFirst: true }), SYMBOLS.length);
    const all = await predict(model, test, 7);
    expect(all).toHaveLength(7 * SYMBOLS.length);
    const parts = await predict(model, test, 3);
    parts.forEach((logit, i) => {
      expect(logit).toBeCloseTo(all[i], 5);
    });
  });

  it("takes the greatest logit", () => {
    expect([...decide(Float32Array.of(1, 3, 2, -1, -3, -2), 2)]).toEqual([1, 0]);
    expect(accuracy(Int32Array.of(1, 0), Int32Array.of(1, 2))).toBe(0.5);
  });
});

describe("save", () => {
  it("brings a model back to the last bit", async () => {
    const file = join(folder, "model.safetensors");
    const test = drawDigits(20, 1);
    const [model, other] = [new DigitCNN(), new DigitCNN()];
    const logits = await predict(model, test);
    expect(sameBits(logits, await predict(other, test))).toBe(false);
    expect(await saveModel(model, file)).toBe(readFileSync(file).length);
    await loadModel(other, file);
    expect(sameBits(logits, await predict(other, test))).toBe(true);
  });

  it("uses PyTorch's names", async () => {
    const file = join(folder, "lstm.safetensors");
    await saveModel(new SequenceClassifier(new LSTM(FEATURES, 4, { batchFirst: true }), SYMBOLS.length), file);
    expect(Object.keys(loadSafetensors(readFileSync(file))).sort()).toEqual([
      "fc.bias",
      "fc.weight",
      "rnn.bias_hh_l0",
      "rnn.bias_ih_l0",
      "rnn.weight_hh_l0",
      "rnn.weight_ih_l0",
    ]);
  });

  it("tells 0 from −0, and lengths apart", () => {
    expect(sameBits(Float32Array.of(0), Float32Array.of(0))).toBe(true);
    expect(sameBits(Float32Array.of(0), Float32Array.of(-0))).toBe(false);
    expect(sameBits(Float32Array.of(1), Float32Array.of(1, 2))).toBe(false);
  });
});

describe("the command", () => {
  it("trains, saves and compares all four networks", async () => {
    const { code, stdout, stderr } = await run("--train-images", "100", "--epochs", "1", "--out", "models/new");
    expect(stderr).toBe("");
    expect(code).toBe(0);
    for (const name of ["CNN", "RNN", "GRU", "LSTM"]) {
      expect(stdout).toMatch(new RegExp(`│ ${name} +│.*│ identical +│`));
      expect(readFileSync(join(folder, "models/new", `${name.toLowerCase()}.safetensors`)).length).toBeGreaterThan(
        1000,
      );
    }
    expect(stdout).toMatch(/│ LSTM .* (9[5-9]\.\d|100\.0) %/);
    expect(stdout).not.toContain("\x1b");
    expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(90); // paths may be long
  }, 240_000);

  it("helps", async () => {
    const { code, stdout } = await run("--help");
    expect(code).toBe(0);
    expect(stdout).toContain("--data DIR");
  });

  it.each([
    [["--dta", "x"], "Unknown option '--dta'"],
    [["--data", "nowhere"], `${join(folder, "nowhere")}: there is no such folder`],
    [["--data", "."], `${join(folder, MNIST_FILES.trainImages)}: it is not packed with gzip`],
    [["--out", "file/models", "--train-images", "100"], `${join(folder, "file/models")}: no folder for the models`],
  ])("%j is one paragraph on stderr and exit code 1", async (args, message) => {
    writeFileSync(join(folder, "file"), "");
    writeFileSync(join(folder, MNIST_FILES.trainImages), "not gzip");
    const { code, stdout, stderr } = await run(...args);
    expect(code).toBe(1);
    expect(stdout).toBe("");
    expect(stderr).toContain(message);
    expect(stderr.trim()).not.toContain("\n");
  });
});
