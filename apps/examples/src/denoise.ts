/** `denoise`: a GRU takes the noise out of speech as it comes, frame by frame. */
import { Adam, OneCycleLR } from "@nn/optim";
import { stream } from "@nn/recurrent";
import { manualSeed } from "@nn/tensor";
import { fit, loader } from "@nn/train";
import { COMMON_HELP, type CommonOptions, parseArguments } from "./arguments.js";
import { Denoiser, denoiseLoss, gainsOf, spectra } from "./denoiser.js";
import type { Example } from "./example.js";
import { follow } from "./follow.js";
import { mix, RATE, voices } from "./noisy-speech.js";
import { pictureFile } from "./plot.js";
import { random } from "./random.js";
import { filter, HOP, spectralSubtraction, writeWav } from "./sound-filter.js";
import { bestStrength, gained, mean } from "./sound-scores.js";
import { drawSpectrograms } from "./spectrograms.js";
import { readRecordings } from "./spoken-data.js";
import { UserError } from "./user-error.js";

export interface DenoiseOptions extends CommonOptions {
  /** Folder with the folder `recordings`; null: invented words. */
  readonly data: string | null;
  readonly epochs: number;
  /** Where sounds and picture go; null: a temporary folder. */
  readonly out: string | null;
}

/** Of signal to noise, dB: what is asked in the test; in training it is anything between. */
const LEVELS = [0, 5, 10];

export const denoise: Example<DenoiseOptions> = {
  help: `Trains a GRU to take noise out of speech: hiss, rumble, hum, what swells and what crackles. It hears no later
frame, so that it also runs live, 32 ms behind.

Usage: npm run example -- denoise [options]

  --data DIR         folder of the Free Spoken Digit Dataset, with its folder
                     recordings (invented words)
  --epochs N         passes over the training sounds (15; 10 with --quick)
  --out DIR          for sounds and spectrograms, before and after (a temporary folder)
${COMMON_HELP}  --help             show this
`,

  parse(args, folder) {
    const seeHelp = "See npm run example -- denoise --help.";
    const given = parseArguments(args, { own: ["data", "epochs", "out"], folder, seeHelp });
    const epochs = given.integer("epochs", 1, 1000) ?? (given.common.quick ? 10 : 15);
    return { ...given.common, data: given.path("data"), epochs, out: given.path("out") };
  },

  async run({ data, epochs, out, seed, quick }, terminal, backend) {
    const recordings = data ? readRecordings(data) : null;
    if (recordings && recordings.rate !== RATE)
      throw new UserError(
        `${data}: its recordings have ${recordings.rate} Hz; expected ${RATE}. Give the Free Spoken Digit Dataset.`,
      );
    const [source, seeds] = [random(seed), [2 * seed, 2 * seed + 1]];
    const training = voices(recordings, "training", quick ? 120 : 800, seeds[0]).map((voice) =>
      mix(voice, source.uniform(-3, 12), source),
    );
    const test = voices(recordings, "test", quick ? 12 : 90, seeds[1]).map((voice, i) =>
      mix(voice, LEVELS[i % LEVELS.length], source),
    );
    terminal.line(
      `${training.length} sounds of 2.5 s to train on, ${test.length} others of other words and noises to test on.`,
    );
    terminal.line(
      `A GRU of 96, a step every ${(1000 * HOP) / RATE} ms. Adam, ${epochs} epochs; seed ${seed}, ${backend}.\n`,
    );

    manualSeed(seed);
    const model = new Denoiser();
    const batches = loader(spectra(training), { batchSize: 8, shuffle: true, seed, dropLast: true });
    const start = performance.now();
    const run = fit(model, {
      loss: denoiseLoss,
      optimizer: new Adam(model.parameters()),
      schedule: (optimizer, { steps }) => new OneCycleLR(optimizer, { maxLr: 0.006, totalSteps: steps }),
      data: batches,
      epochs,
      clip: 1,
    });
    await follow(run, terminal);
    terminal.line(`\nTraining took ${((performance.now() - start) / 1000).toFixed(1)} s.`);

    const live = stream(model);
    const begin = performance.now();
    const own = gained(() => gainsOf(live), test);
    const hop = (performance.now() - begin) / (test.length * (test[0].noisy.length / HOP));
    const strength = bestStrength(training.slice(0, 6));
    const subtracted = gained(() => spectralSubtraction(strength), test);
    const row = (name: string, gains: readonly number[]) => {
      const at = LEVELS.map((_, level) => mean(gains.filter((_, i) => i % LEVELS.length === level)));
      return [name, ...[...at, mean(gains)].map((value) => `${value.toFixed(1)} dB`)];
    };
    terminal.table([
      ["SI-SNR gained", ...LEVELS.map((level) => `at ${level} dB`), "all"],
      row("GRU, live", own),
      row("spectral subtraction", subtracted),
      row(
        "nothing done",
        own.map(() => 0),
      ),
    ]);
    terminal.line(
      `\nLive: ${hop.toFixed(2)} ms for each ${(1000 * HOP) / RATE} ms of sound, Fourier transforms and all.`,
    );

    const [{ clean, noisy }] = test;
    const sounds = {
      clean,
      noisy,
      denoised: filter(noisy, gainsOf(live)),
      subtracted: filter(noisy, spectralSubtraction(strength)),
    };
    const picture = pictureFile(out, "denoise.png");
    drawSpectrograms(sounds).save(picture);
    for (const [name, samples] of Object.entries(sounds))
      writeWav(picture.replace(/\.png$/, `-${name}.wav`), samples, RATE);
    live.dispose();
    terminal.line(`Spectrograms: ${picture}; the sounds are beside it.`);
    return {
      metric: "dB SI-SNR gained",
      value: mean(own),
      baseline: mean(subtracted),
      against: "spectral subtraction",
    };
  },
};
