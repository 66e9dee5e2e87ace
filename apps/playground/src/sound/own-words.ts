// "Words of your own": recorded, or from WAV files.

import { indexedDBStore, readWav } from "@nn/train";
import { byId } from "../frame/dom.js";
import { dropZone, readAs } from "../frame/files.js";
import type { Bench } from "../frame/lab.js";
import { reason } from "../frame/reason.js";
import { record } from "./ear.js";
import type { Recording } from "./examples.js";
import { resampler } from "./features.js";
import { readRecordings, writeRecordings } from "./recordings.js";

const SECONDS = 1.5;
/** Of files dropped at once. */
const MOST = 600;

/** @param learn trains on them */
export function openOwnWords(lab: Bench, learn: () => void): void {
  const store = indexedDBStore("nn-playground/sound");
  const show = async () => {
    const counts = new Map<string, number>();
    for (const { word } of await readRecordings(store)) counts.set(word, (counts.get(word) ?? 0) + 1);
    byId("own-count").textContent = [...counts].map(([word, n]) => `${word}: ${n}`).join(", ") || "none.";
  };
  const add = async (more: readonly Recording[]) => {
    await writeRecordings(store, [...(await readRecordings(store)), ...more]);
    await show();
  };
  const recording = (word: string, samples: ArrayLike<number>, rate: number): Recording => ({
    word,
    samples: Float32Array.from(resampler(rate)(samples)),
  });

  byId("record").addEventListener("click", async () => {
    const word = byId<HTMLInputElement>("word").value.trim();
    if (!word) return lab.say("Which word is it? Write it into the field first.", true);
    try {
      const { samples, rate } = await record(SECONDS, () => {
        byId("record").textContent = "Speak …";
      });
      await add([recording(word, samples, rate)]);
      lab.say(`Recorded “${word}”. Five of each word are a beginning.`);
    } catch (error) {
      lab.say(`Recording failed: ${reason(error)}. WAV files do as well.`, true);
    }
    byId("record").textContent = "Record it";
  });
  byId("learn-own").addEventListener("click", learn);
  byId("forget").addEventListener("click", async () => {
    await store.remove("recordings");
    await show();
  });
  byId("own").append(
    dropZone({
      text: "WAV files, named after their words: yes_1.wav, no_2.wav (what stands before the first _ is the word). They stay in this browser.",
      button: "Choose WAV files",
      accept: ".wav,audio/wav",
      multiple: true,
      say: lab.say,
      async take(files) {
        const read = (file: File) =>
          readAs("WAV file", file, (bytes) => {
            const { sampleRate, channels } = readWav(bytes);
            return recording(file.name.split(/[_.]/)[0], channels[0], sampleRate);
          });
        await add(await Promise.all(files.slice(0, MOST).map(read)));
        learn();
      },
    }),
  );
  void show();
}
