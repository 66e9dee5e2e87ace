/** The commands `mnist` and `timeseries`: on small made-up files, and briefly on real ones where they are. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { cli } from "./cli.js";
import { drawDigits } from "./digits.js";
import { MNIST_FILES } from "./idx.js";
import { random } from "./random.js";
import { realData } from "./test-data.js";
import { spread } from "./timeseries.js";

const folder = mkdtempSync(join(tmpdir(), "nn-examples-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs the command, and returns its exit code and what it wrote. */
async function run(...args: string[]) {
  const written = { stdout: "", stderr: "" };
  const into = (name: keyof typeof written) => ({
    write: (chunk: string | Uint8Array) => {
      written[name] += chunk;
      return true;
    },
  });
  const code = await cli(args, { folder, stdout: into("stdout"), stderr: into("stderr") });
  return { code, ...written };
}

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

it.each(["mnist", "timeseries"])("%s helps", async (name) => {
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
