/** The commands on real data: on small made-up files, and briefly on real ones where they are. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { loadNpz } from "@nn/io";
import { afterAll, describe, expect, it } from "vitest";
import { drawDigits } from "./digits.js";
import { MNIST_FILES } from "./idx.js";
import { random } from "./random.js";
import { commandIn, realData } from "./test-data.js";
import { spread } from "./timeseries.js";

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
    [["mnist"], "--data is missing. See npm run example -- mnist --help."],
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
    [["timeseries"], "--data is missing. See npm run example -- timeseries --help."],
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
    [["forecast"], "--data is missing. See npm run example -- forecast --help."],
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
    [["sentiment"], "--data is missing. See npm run example -- sentiment --help."],
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

it.each([
  [["charlm"], "--data is missing. See npm run example -- charlm --help."],
  [["charlm", "--data", "nowhere"], "input.txt: there is no such file"],
  [["spoken-digits"], "--data is missing. See npm run example -- spoken-digits --help."],
  [["spoken-digits", "--data", "nowhere"], `${join("nowhere", "recordings")}: there is no such folder`],
])("%j is one paragraph on stderr and exit code 1", async (args, message) => {
  const { code, stdout, stderr } = await run(...args);
  expect([code, stdout]).toEqual([1, ""]);
  expect(stderr).toContain(message);
});

it("memory helps", async () => {
  const { code, stdout } = await run("memory", "--help");
  expect([code, stdout]).toEqual([0, expect.stringContaining("npm run example -- memory [options]")]);
});

it.each(["mnist", "timeseries", "forecast", "sentiment", "charlm", "spoken-digits"])("%s helps", async (name) => {
  const { code, stdout } = await run(name, "--help");
  expect(code).toBe(0);
  expect(stdout).toContain(`npm run example -- ${name} --data DIR`);
});

// ---------------------------------------------------------------------------------------------

/** Drawn digits as files of MNIST's kind. */
function writeDigits(half: "train" | "test", count: number, seed: number): void {
  const { inputs, labels } = drawDigits(count, seed);
  const write = (name: string, sizes: readonly number[], data: Uint8Array) => {
    const header = Buffer.alloc(4 + 4 * sizes.length);
    [0x800 + sizes.length, ...sizes].forEach((word, i) => {
      header.writeUInt32BE(word, 4 * i);
    });
    writeFileSync(join(folder, "digits", name), gzipSync(Buffer.concat([header, data])));
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
