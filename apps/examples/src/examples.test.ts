/** The commands on real data: on small made-up files, and briefly on real ones where they are. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { loadNpz } from "@nn/io";
import { readWav } from "@nn/train";
import { PNG } from "pngjs";
import { afterAll, describe, expect, it } from "vitest";
import { drawDigits } from "./digits.js";
import { EXAMPLES } from "./examples.js";
import { MNIST_FILES } from "./idx.js";
import { partNames, readNames } from "./names-data.js";
import { random } from "./random.js";
import { drawTones, joinDigits } from "./spoken-data.js";
import { commandIn, realData } from "./test-data.js";
import { spread } from "./timeseries.js";
import { drawPhrases, wordByWord } from "./translation-data.js";

const folder = mkdtempSync(join(tmpdir(), "nn-examples-"));
afterAll(() => rmSync(folder, { recursive: true }));

const run = commandIn(folder);

describe("mnist", () => {
  it("trains LeNet-5 on all images of a folder, and gives time and error", async () => {
    mkdirSync(join(folder, "digits"));
    writeDigits("train", 640, 1);
    writeDigits("test", 100, 2);
    const { code, stdout, stderr } = await run("mnist", "--data", "digits", "--epochs", "3", "--threads", "1");
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("640 images to train on, 100 others to test on.");
    expect(stdout).toContain("wasm with 1 thread");
    expect(stdout).toMatch(/Training took \d+\.\d s/);
    const error = /Test error (\d+\.\d\d) %/.exec(stdout)?.[1];
    expect(Number(error)).toBeLessThan(50); // guessing: 90
  });

  it.each([
    [["mnist", "--data", "nowhere"], `${join(folder, "nowhere")}: there is no such folder`],
    [["mnist", "--runs", "2"], "Unknown option '--runs'. See npm run example -- mnist --help."],
  ])("%j is one paragraph on stderr and exit code 1", async (args, message) => {
    const { code, stdout, stderr } = await run(...args);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain(message);
  });
});

describe("timeseries", () => {
  it("trains on each data set several times, and gives mean and deviation", async () => {
    writeWaves("Waves");
    const args = ["--data", ".", "--sets", "Waves", "--runs", "2", "--epochs", "40", "--threads", "1"];
    const { code, stdout, stderr } = await run("timeseries", ...args);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("Waves: 40 series to train on, 30 others to test on");
    expect(stdout).toMatch(/seed 1: \d+\.\d\d % right, .*\n {2}seed 2: /);
    const mean = /│ Waves │ 40 +│ (\d+\.\d\d) ± /.exec(stdout)?.[1];
    expect(Number(mean)).toBeGreaterThan(80); // guessing: 50
  });

  it("learns ItalyPowerDemand", async ({ skip }) => {
    const { folder: data, missing } = realData("aeon");
    if (missing) skip(missing);
    const args = ["--data", data, "--sets", "ItalyPowerDemand", "--runs", "1", "--epochs", "60", "--threads", "1"];
    const { stdout } = await run("timeseries", ...args);
    expect(stdout).toContain("67 series to train on, 1029 others to test on");
    expect(Number(/seed 1: (\d+\.\d\d) % right/.exec(stdout)?.[1])).toBeGreaterThan(90); // after 200 epochs 96
  });

  it.each([
    [["timeseries", "--data", ".", "--sets", "Nothing"], "Nothing_TRAIN.ts: there is no such file"],
    [["timeseries", "--data", ".", "--sets", "a,,b"], '--sets needs names with commas between them, and got "a,,b".'],
  ])("%j is one paragraph on stderr and exit code 1", async (args, message) => {
    const { code, stdout, stderr } = await run(...args);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain(message);
  });

  it("takes the deviation of the sample", () => {
    expect(spread([1, 3])).toEqual({ mean: 2, deviation: Math.SQRT2 });
    expect(spread([5])).toEqual({ mean: 5, deviation: 0 });
  });
});

describe("forecast", () => {
  it("trains the LSTM, and compares it with what was published and with naive forecasts", async () => {
    writeDays("days");
    const { code, stdout, stderr } = await run("forecast", "--data", "days", "--epochs", "2", "--threads", "1");
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("2 series: load, OT.");
    expect(stdout).toContain("181 windows to train on, 77 to choose the epoch by, 77 to test on.");
    expect(testError(stdout, "LSTM")).toBeLessThan(testError(stdout, "the last value"));
    expect(stdout).toContain("OT in the middle of the test part: · seen, o came, x said");
  });

  it("is better than LSTMa on ETTh1 after one epoch", { timeout: 180_000 }, async ({ skip }) => {
    const { folder: data, missing } = realData("ett");
    if (missing) skip(missing);
    const { stdout } = await run("forecast", "--data", data, "--epochs", "1", "--threads", "1");
    expect(stdout).toContain("8521 windows to train on, 2857 to choose the epoch by, 2857 to test on.");
    expect(testError(stdout, "LSTM")).toBeLessThan(0.65); // with more epochs 0.34
    expect(testError(stdout, "the last value")).toBeCloseTo(1.222, 3);
  });

  it.each([
    [["forecast", "--data", "."], "ETTh1.csv: there is no such file"],
    [["forecast", "--data", "holes"], 'a number in row 2, column "OT"'],
  ])("%j is one paragraph on stderr and exit code 1", async (args, message) => {
    mkdirSync(join(folder, "holes"), { recursive: true });
    writeFileSync(join(folder, "holes", "ETTh1.csv"), "date,OT\n2016-07-01,1\n2016-07-02,\n");
    const { code, stdout, stderr } = await run(...args);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain(message);
  });
});

describe("sentiment", () => {
  it("trains both networks, and scores sentences", async () => {
    writeOpinions("opinions");
    const { code, stdout, stderr } = await run("sentiment", "--data", "opinions", "--epochs", "8", "--threads", "1");
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("200 sentences to train on, 60 to choose the epoch by, 60 to test on.");
    for (const network of ["CNN", "BiLSTM"]) expect(rightOf(stdout, network)).toBeGreaterThan(80); // guessing: 50
    expect(stdout).toContain("a dull and predictable mess .");
  });

  it("reads SST-2, and learns", { timeout: 180_000 }, async ({ skip }) => {
    const { folder: data, missing } = realData("sentiment");
    if (missing) skip(missing);
    const { stdout } = await run("sentiment", "--data", data, "--epochs", "2", "--threads", "1");
    expect(stdout).toContain("6920 sentences to train on, 872 to choose the epoch by, 1821 to test on.");
    for (const network of ["CNN", "BiLSTM"]) expect(rightOf(stdout, network)).toBeGreaterThan(65); // after all epochs 80
  });

  it.each([
    [["sentiment", "--data", "nowhere"], `${join(folder, "nowhere")}: there is no such folder`],
    [["sentiment", "--data", "stars"], "stsa.binary.train: line 2 is something else"],
  ])("%j is one paragraph on stderr and exit code 1", async (args, message) => {
    mkdirSync(join(folder, "stars"), { recursive: true });
    writeFileSync(join(folder, "stars", "stsa.binary.train"), "1 good .\n4 better .\n");
    const { code, stdout, stderr } = await run(...args);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain(message);
  });
});

describe("memory", () => {
  it("trains all three on both tasks, and draws their gradients", async () => {
    const args = ["--steps", "12", "--hidden", "16", "--epochs", "4", "--threads", "1"];
    const { code, stdout, stderr } = await run("memory", ...args);
    expect([code, stderr]).toEqual([0, ""]);
    for (const task of ["Adding problem", "Delayed recall"]) expect(stdout).toContain(`\n${task}\n`);
    expect(stdout).toMatch(/│ 12 +│ GRU +│ 960 +│ 0\.00\d\d +│ solved/); // weights: 3 · 16 · (2 + 16 + 2)
    expect(stdout).toMatch(/│ 12 +│ LSTM +│ 1984 +│ \d+\.\d +│ solved/); // weights: 4 · 16 · (13 + 16 + 2)
    expect(stdout.match(/┤.*[RGL]/g)!.length).toBeGreaterThan(8);
  });

  it("wants lengths that are numbers", async () => {
    const { code, stderr } = await run("memory", "--steps", "50,5");
    expect([code, stderr]).toEqual([1, expect.stringContaining('from 10 to 10000, and got "5"')]);
  });
});

describe("charlm", () => {
  it("learns a text, writes, and leaves a file for PyTorch", async () => {
    mkdirSync(join(folder, "text"));
    writeFileSync(join(folder, "text", "input.txt"), "to be, or not to be.\n".repeat(80));
    const args = ["--data", "text", "--steps", "15", "--export", "all.npz", "--threads", "1"];
    const { code, stdout, stderr } = await run("charlm", ...args);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("1512 characters to train on, 168 to test on, 10 kinds.");
    expect(Number(/Validation loss (\d\.\d+)/.exec(stdout)?.[1])).toBeLessThan(2); // guessing: 2.3
    const file = loadNpz(readFileSync(join(folder, "all.npz")));
    expect(file.places.shape).toEqual([15, 32]);
    expect(file["lstm.weight_hh_l0"].shape).toEqual([1024, 256]);
  });

  it("writes at several temperatures, and again when it is loaded", async () => {
    const trained = await run("charlm", "--steps", "5", "--threads", "1", "--save", "writer.safetensors");
    expect([trained.code, trained.stderr]).toEqual([0, ""]);
    expect(trained.stdout.match(/At temperature/g)).toHaveLength(3);
    const load = () => run("charlm", "--load", "writer.safetensors", "--seed", "2", "--threads", "1");
    const [first, second] = [await load(), await load()];
    expect(first.stdout).not.toContain("Training");
    expect(first.stdout.length).toBeGreaterThan(900);
    expect(second.stdout).toBe(first.stdout);
  });
});

describe("spoken-digits", () => {
  it("hears tones of different heights", async () => {
    writeTones("tones");
    const { code, stdout, stderr } = await run("spoken-digits", "--data", "tones", "--epochs", "30", "--threads", "1");
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("1 speakers: anna; 8000 Hz.");
    expect(stdout).toContain("40 recordings to train on, 50 others to test on");
    expect(Number(/Test: (\d+\.\d) % right/.exec(stdout)?.[1])).toBeGreaterThan(80); // guessing: 10
  });

  it("learns the digits", { timeout: 180_000 }, async ({ skip }) => {
    const { folder: data, missing } = realData("fsdd");
    if (missing) skip(missing);
    const { stdout } = await run("spoken-digits", "--data", data, "--epochs", "4", "--threads", "1");
    expect(stdout).toContain("1800 recordings to train on, 200 others to test on");
    expect(Number(/Test: (\d+\.\d) % right/.exec(stdout)?.[1])).toBeGreaterThan(80); // after 20 epochs 99
  });
});

describe("names", () => {
  it("tells four languages apart, and draws what is taken for what", async () => {
    const { code, stdout, stderr } = await run("names", "--threads", "1", "--out", "pictures");
    expect([code, stderr]).toEqual([0, ""]);
    expect(Number(/Test: (\d+\.\d) % right/.exec(stdout)?.[1])).toBeGreaterThan(65); // guessing: 25
    expect(readFileSync(join(folder, "pictures", "names.svg"), "utf8")).toMatch(/^<svg[^>]* viewBox[\s\S]*Japanese/);
  });

  it("reads lists, and tests no name that it was trained on", async () => {
    mkdirSync(join(folder, "lists"));
    writeFileSync(join(folder, "lists", "A.txt"), `${Array.from({ length: 50 }, (_, i) => `Ana${i}`).join("\n")}\n`);
    writeFileSync(
      join(folder, "lists", "B.txt"),
      `${Array.from({ length: 49 }, (_, i) => `Bob${i}`).join("\n")}\nAna7\n`,
    );
    const lists = readNames(join(folder, "lists"));
    const { languages, train, test } = partNames(lists, 0.2, 1);
    expect([languages, train.length + test.length]).toEqual([["A", "B"], 100]);
    const seen = new Set(train.map(({ name }) => name));
    expect(test.filter(({ name }) => seen.has(name))).toEqual([]);
    const { stdout } = await run("names", "--data", "lists", "--epochs", "3", "--threads", "1");
    expect(Number(/Test: (\d+\.\d) % right/.exec(stdout)?.[1])).toBeGreaterThan(85);
  });
});

describe("translate", () => {
  it("says dates and times in English, and draws where it looks", async () => {
    const { code, stdout, stderr } = await run("translate", "--quick", "--threads", "1", "--out", "pictures");
    expect([code, stderr]).toEqual([0, ""]);
    expect(Number(/BLEU, beam of 5 +│ (\d+\.\d)/.exec(stdout)?.[1])).toBeGreaterThan(60); // word by word: below 5
    expect(readFileSync(join(folder, "pictures", "attention.svg"), "utf8")).toContain("&lt;eos&gt;");
  });

  it("reads Multi30k's files, keeps its run, and goes on from there", async () => {
    mkdirSync(join(folder, "pairs"));
    const { train, validation, test } = drawPhrases(1, [200, 20, 20]);
    for (const [part, sentences] of Object.entries({ train, val: validation, test_2016_flickr: test })) {
      for (const language of ["de", "en"] as const)
        writeFileSync(join(folder, "pairs", `${part}.${language}.gz`), gzipSync(`${sentences[language].join("\n")}\n`));
    }
    const args = ["--data", "pairs", "--attention", "none", "--hidden", "16", "--threads", "1", "--out", "kept"];
    const first = await run("translate", ...args, "--epochs", "2");
    expect([first.code, first.stderr]).toEqual([0, ""]);
    expect(first.stdout).toContain("200 pairs to train on, 20 to choose the epoch by,");
    expect(first.stdout).toMatch(/its own words before +│ \d+\.\d\d +│ 37\.5/);
    const again = await run("translate", ...args, "--epochs", "2");
    expect(again.stdout).not.toContain("step");
    const table = (stdout: string) => stdout.slice(stdout.indexOf("\nTest"));
    expect(table(again.stdout)).toBe(table(first.stdout));
  });

  it("has a corpus in which no phrase is both trained and tested", () => {
    const { train, test } = drawPhrases(3);
    expect(test.de.filter((text) => train.de.includes(text))).toEqual([]);
    expect(wordByWord(train)("am ersten mai")).toContain("first");
  });
});

describe("ctc", () => {
  it("hears strings of tones", { timeout: 60_000 }, async () => {
    const { code, stdout, stderr } = await run("ctc", "--quick", "--threads", "1", "--out", "pictures");
    expect([code, stderr]).toEqual([0, ""]);
    expect(Number(/digit error rate (\d+\.\d\d) %/.exec(stdout)?.[1])).toBeLessThan(30); // always 1: 93
    expect(readFileSync(join(folder, "pictures", "ctc.svg"), "utf8").includes(">1 s<")).toBe(true);
  });

  it("joins recordings with gaps", () => {
    const { test, rate } = drawTones(1);
    const joined = joinDigits(test, 20, rate, random(1));
    for (const { digits, samples } of joined) {
      expect(digits.length).toBeGreaterThanOrEqual(3);
      expect(digits.length).toBeLessThanOrEqual(6);
      expect(samples.length).toBeGreaterThan(rate * (0.12 * digits.length + 0.05 * (digits.length + 1)));
    }
  });
});

describe("summarise", () => {
  it("copies what it has never seen, and only with the pointer", { timeout: 60_000 }, async () => {
    const { code, stdout, stderr } = await run("summarise", "--quick", "--threads", "1", "--out", "pictures");
    expect([code, stderr]).toEqual([0, ""]);
    const copied = (name: string) =>
      Number(new RegExp(`│ ${name} +│[^│]+│[^│]+│[^│]+│ (\\d+\\.\\d)`).exec(stdout)?.[1]);
    expect(copied("pointer")).toBeGreaterThan(60);
    expect(copied("no pointer")).toBeLessThan(5);
    expect(readFileSync(join(folder, "pictures", "summary.svg"), "utf8")).toContain("&lt;eos&gt;");
  });
});

describe("detection", () => {
  it("finds and reads digits better than bright spots tell, and draws boxes", { timeout: 60_000 }, async () => {
    const { code, stdout, stderr } = await run("detection", "--quick", "--threads", "1", "--out", "pictures");
    expect([code, stderr]).toEqual([0, ""]);
    const [own, old] = percents(stdout, /│ (?:network|bright spots)[^│]+│ (\d+\.\d) %/g);
    expect(own).toBeGreaterThan(70);
    expect(own).toBeGreaterThan(old + 5);
    expect(picture("detection.png")).toMatchObject({ width: 1064, height: 800 });
  });
});

describe("segmentation", () => {
  it("finds cells better than a threshold", { timeout: 60_000 }, async () => {
    const { code, stdout, stderr } = await run("segmentation", "--quick", "--threads", "1", "--out", "pictures");
    expect([code, stderr]).toEqual([0, ""]);
    const [own, threshold] = percents(stdout, /│ (?:U-Net|brighter)[^│]+│ (\d+\.\d) %/g);
    expect(own).toBeGreaterThan(80);
    expect(own).toBeGreaterThan(threshold + 10);
    expect(picture("segmentation.png").width).toBe(808);
  });
});

describe("verification", () => {
  it("tells characters apart that it has never seen", { timeout: 60_000 }, async () => {
    const { code, stdout, stderr } = await run("verification", "--quick", "--threads", "1", "--out", "pictures");
    expect([code, stderr]).toEqual([0, ""]);
    const [own, pixels] = percents(stdout, /│ (?:network|pixels) +│ (\d+\.\d\d) %/g);
    expect(own).toBeLessThan(25);
    expect(own).toBeLessThan(pixels - 8);
    expect(picture("verification.png").width).toBeGreaterThan(1000);
    expect(readFileSync(join(folder, "pictures", "verification.svg"), "utf8")).toContain(">pixels: ");
  });

  it("trains on classes 0 to 6 of a folder, and tests on the others", async () => {
    mkdirSync(join(folder, "seen"));
    writeDigits("train", 200, 1, "seen");
    writeDigits("test", 100, 2, "seen");
    const args = ["--data", "seen", "--quick", "--epochs", "1", "--threads", "1"];
    const { code, stdout } = await run("verification", ...args);
    expect(code).toBe(0);
    expect(stdout).toContain("140 images of 7 classes to train on, 30 of 3 others to test on.");
  });
});

describe("gesture", () => {
  it("knows gestures, and notices step by step that they change", async () => {
    const { code, stdout, stderr } = await run("gesture", "--quick", "--threads", "1", "--out", "pictures");
    expect([code, stderr]).toEqual([0, ""]);
    expect(Number(/seed 1: (\d+\.\d) % right/.exec(stdout)?.[1])).toBeGreaterThan(75); // the nearest neighbour: 35
    expect(readFileSync(join(folder, "pictures", "gesture.svg"), "utf8")).toContain(">badminton<");
  });

  it("learns BasicMotions", async ({ skip }) => {
    const { folder: data, missing } = realData("aeon");
    if (missing) skip(missing);
    const { stdout } = await run("gesture", "--data", data, "--runs", "1", "--threads", "1");
    expect(stdout).toContain("40 series to train on, 40 others to test on: 100 steps of 6 sensors");
    expect(Number(/seed 1: (\d+\.\d) % right/.exec(stdout)?.[1])).toBeGreaterThanOrEqual(95); // usually 100
  });
});

describe("denoise", () => {
  it("takes out noise, live, and leaves sounds and spectrograms", { timeout: 60_000 }, async () => {
    const { code, stdout, stderr } = await run("denoise", "--quick", "--threads", "1", "--out", "pictures");
    expect([code, stderr]).toEqual([0, ""]);
    const [own, subtraction] = percents(stdout, /│ (?:GRU, live|spectral subtraction) .* (\d+\.\d) dB +│/g);
    expect(own).toBeGreaterThan(5);
    expect(own).toBeGreaterThan(subtraction);
    expect(picture("denoise.png").width).toBeGreaterThan(600);
    const wav = readWav(readFileSync(join(folder, "pictures", "denoise-denoised.wav")));
    expect([wav.sampleRate, wav.channels[0].length]).toEqual([8000, 2.5 * 8000 - (20000 % 128)]);
  });
});

it.each([
  [["names", "--data", "."], "it has 0 files of names"],
  [["translate", "--data", "."], "train.de.gz: there is no such file"],
  [["translate", "--attention", "all"], '--attention needs dot or none, and got "all".'],
  [["charlm", "--load", "nothing"], "nothing: there is no such file"],
  [["charlm", "--data", "nowhere"], "input.txt: there is no such file"],
  [["spoken-digits", "--data", "nowhere"], `${join("nowhere", "recordings")}: there is no such folder`],
])("%j is one paragraph on stderr and exit code 1", async (args, message) => {
  const { code, stdout, stderr } = await run(...args);
  expect([code, stdout]).toEqual([1, ""]);
  expect(stderr).toContain(message);
});

it.each([...Object.keys(EXAMPLES), "all"])("%s helps", async (name) => {
  const { code, stdout } = await run(name, "--help");
  expect([code, stdout]).toEqual([0, expect.stringContaining(`npm run example -- ${name} [options]`)]);
});

it("all wants the common options alone", async () => {
  const { code, stdout, stderr } = await run("all", "--epochs", "3");
  expect([code, stdout]).toEqual([1, ""]);
  expect(stderr).toContain("Unknown option '--epochs'. See npm run example -- all --help.");
});

// The same for all of them is `npm run example -- all --quick`.
it.each(["mnist", "timeseries", "forecast", "sentiment", "memory"])("%s runs without data", async (name) => {
  const { code, stderr } = await run(name, "--quick", "--epochs", "1", "--threads", "1");
  expect([code, stderr]).toEqual([0, ""]);
});

// ---------------------------------------------------------------------------------------------

/** Figures in the order in which they stand there. */
const percents = (stdout: string, pattern: RegExp): number[] =>
  [...stdout.matchAll(pattern)].map(([, value]) => Number(value));

const picture = (name: string): PNG => PNG.sync.read(readFileSync(join(folder, "pictures", name)));

/** Drawn digits as files of MNIST's kind. */
function writeDigits(half: "train" | "test", count: number, seed: number, into = "digits"): void {
  const { inputs, labels } = drawDigits(count, seed);
  const write = (name: string, sizes: readonly number[], data: Uint8Array) => {
    const header = Buffer.alloc(4 + 4 * sizes.length);
    [0x800 + sizes.length, ...sizes].forEach((word, i) => {
      header.writeUInt32BE(word, 4 * i);
    });
    writeFileSync(join(folder, into, name), gzipSync(Buffer.concat([header, data])));
  };
  write(
    MNIST_FILES[`${half}Images`],
    [count, 28, 28],
    Uint8Array.from(inputs, (value) => 255 * value),
  );
  write(MNIST_FILES[`${half}Labels`], [count], Uint8Array.from(labels));
}

/** Slow and fast waves with noise, as files of the archive's kind. */
function writeWaves(name: string): void {
  const source = random(1);
  mkdirSync(join(folder, name));
  for (const [half, count] of [
    ["TRAIN", 40],
    ["TEST", 30],
  ] as const) {
    const lines = Array.from({ length: count }, (_, i) => {
      const [phase, steps] = [source.uniform(0, 6), i % 2 === 0 ? 0.3 : 0.9];
      const values = Array.from({ length: 24 }, (_, t) =>
        (Math.sin(phase + steps * t) + 0.2 * source.normal()).toFixed(4),
      );
      return `${values.join(",")}:${i % 2 === 0 ? "slow" : "fast"}`;
    });
    writeFileSync(join(folder, name, `${name}_${half}.ts`), `@classLabel true slow fast\n@data\n${lines.join("\n")}\n`);
  }
}

/** Two series with the rhythm of days, as a file of ETT's kind. */
function writeDays(name: string): void {
  const source = random(1);
  mkdirSync(join(folder, name));
  const lines = Array.from({ length: 500 }, (_, t) => {
    const value = (phase: number) => (Math.sin((2 * Math.PI * t) / 24 + phase) + 0.1 * source.normal()).toFixed(4);
    return `hour ${t},${value(0)},${value(2)}`;
  });
  writeFileSync(join(folder, name, "ETTh1.csv"), `date,load,OT\n${lines.join("\n")}\n`);
}

/** Sentences whose class is that of one word among others. */
function writeOpinions(name: string): void {
  const source = random(2);
  mkdirSync(join(folder, name));
  const pick = (words: string) => words.split(" ")[source.below(words.split(" ").length)];
  for (const [part, count] of [
    ["train", 200],
    ["dev", 60],
    ["test", 60],
  ] as const) {
    const lines = Array.from({ length: count }, (_, i) => {
      const opinion = pick(i % 2 === 0 ? "dull weak poor" : "warm fine great");
      const noun = () => pick("film story plot cast camera music");
      return `${i % 2} the ${noun()} and the ${opinion} ${noun()}${source.below(2) === 0 ? " of the year" : ""} .`;
    });
    writeFileSync(join(folder, name, `stsa.binary.${part}`), `${lines.join("\n")}\n`);
  }
}

/** The mean squared error on the test part. */
function testError(stdout: string, forecast: string): number {
  return Number(new RegExp(`│ ${forecast} +│ [^│]+│ (\\d+\\.\\d+)`).exec(stdout)?.[1]);
}

/** The share of the validation that is right, %. */
function rightOf(stdout: string, network: string): number {
  return Number(new RegExp(`│ ${network} +│ \\d+ +│ [^│]+│ [^│]+│ (\\d+\\.\\d)`).exec(stdout)?.[1]);
}

/** A tone for each digit in nine takes, of different lengths, as files of the spoken digits' kind. */
function writeTones(name: string): void {
  const source = random(3);
  mkdirSync(join(folder, name, "recordings"), { recursive: true });
  for (let i = 0; i < 90; i++) {
    const [digit, take] = [i % 10, Math.floor(i / 10)];
    const samples = Int16Array.from({ length: 1200 + source.below(1200) }, (_, t) => {
      return 8000 * Math.sin((2 * Math.PI * (300 + 300 * digit) * t) / 8000) + 200 * source.normal();
    });
    const header = Buffer.alloc(44);
    header.write("RIFF\0\0\0\0WAVEfmt ", "latin1");
    header.writeUInt32LE(36 + samples.byteLength, 4);
    header.writeUInt32LE(16, 16);
    for (const [at, word] of [1, 1, 8000, 0, 16000, 0, 2, 16].entries()) header.writeUInt16LE(word, 20 + 2 * at);
    header.write("data", 36);
    header.writeUInt32LE(samples.byteLength, 40);
    const file = join(folder, name, "recordings", `${digit}_anna_${take}.wav`);
    writeFileSync(file, Buffer.concat([header, Buffer.from(samples.buffer)]));
  }
}
