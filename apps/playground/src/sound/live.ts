// "Live": the last three seconds as the network hears them, from the microphone or from sounds of the test.

import { atMostEvery, byId, h, oncePerFrame } from "../frame/dom.js";
import type { Bench } from "../frame/lab.js";
import { reason } from "../frame/reason.js";
import { onTheme } from "../frame/theme.js";
import { LiveEar } from "./ear.js";
import { BANDS, RATE } from "./features.js";
import { drawHeard, type Places } from "./heard.js";
import type { Trained } from "./net.js";
import type { Heard } from "./worker.js";
import type { Live } from "./worklet.js";

const LENGTH = 300; // frames that are shown: three seconds
const PLAYED = 4;

export function openLive(lab: Bench) {
  const places: Places = { mel: byId("live-mel"), rows: byId("live-rows"), names: byId("words-2") };
  let words: readonly string[] = [];
  const mel = new Float32Array(LENGTH * BANDS).fill(-1.2);
  let said: number[] = [];
  const roll = oncePerFrame(() => {
    const missing = LENGTH * (words.length + 1) - said.length;
    drawHeard(places, words, mel, [...new Float32Array(Math.max(0, missing)), ...said]);
  });
  onTheme(roll);

  /** A word counts when it was likelier than not for a tenth of a second; then there is a pause. */
  let [streak, candidate, silentUntil] = [0, 0, 0];
  const take = ({ frames, probabilities }: Live) => {
    const count = frames.length / BANDS;
    mel.copyWithin(0, frames.length);
    mel.set(frames, mel.length - frames.length);
    const n = words.length + 1;
    const fits = probabilities.length === count * n;
    said.push(...(fits ? probabilities : new Float32Array(count * n)));
    said.splice(0, Math.max(0, said.length - LENGTH * n));
    for (let t = 0; fits && t < count; t++) {
      const own = probabilities.subarray(t * n, (t + 1) * n);
      const top = own.indexOf(Math.max(...own));
      streak = top > 0 && top === candidate && own[top] > 0.5 ? streak + 1 : 0;
      candidate = top;
      if (streak === 10 && performance.now() > silentUntil) {
        silentUntil = performance.now() + 400;
        const items = byId("heard-words");
        items.prepend(h("li", {}, words[top - 1]));
        while (items.children.length > 8) items.lastChild!.remove();
      }
    }
    roll();
  };

  let ear: LiveEar | null = null;
  const sendWeights = async () => {
    const trained = ear && (await lab.ask<Trained>("trained"));
    if (trained) await ear?.learn(trained);
  };
  /** The live recogniser, with the network as it is; only after somebody pressed something, as browsers want it. */
  const listen = async (): Promise<LiveEar> => {
    if (!ear) {
      ear = new LiveEar(take, (why) => {
        ear = null; // the next press tries again
        lab.say(`Listening has ended: ${why}`, true);
      });
      await sendWeights();
    }
    if (!ear) throw new Error("the thread of the sound does not start");
    return ear;
  };
  const play = async (sound: Float32Array) => {
    try {
      await (await listen()).play(sound, RATE);
    } catch (error) {
      lab.say(`It cannot be played: ${reason(error)}`, true);
    }
  };

  const microphone = byId<HTMLButtonElement>("microphone");
  microphone.addEventListener("click", async () => {
    try {
      const live = await listen();
      await live.microphone(!live.listening);
      microphone.setAttribute("aria-pressed", `${live.listening}`);
      microphone.textContent = live.listening ? "Stop listening" : "Listen to the microphone";
    } catch (error) {
      lab.say(`The microphone cannot be used: ${reason(error)}. “Play four sounds” needs none.`, true);
    }
  });
  byId("play-some").addEventListener("click", async () => {
    for (let i = 0; i < PLAYED; i++) {
      const heard = await lab.ask<Heard>("example", Math.floor(60 * Math.random()));
      if (heard) await play(heard.sound);
    }
  });

  const learn = atMostEvery(1000, sendWeights);
  return {
    play,
    /** The network has learnt more. */
    learn,
    /** With a network for these words. */
    begin(its: readonly string[]) {
      words = its;
      said = [];
      roll();
      learn();
    },
  };
}
