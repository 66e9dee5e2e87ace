// The thread of the sound: every 10 ms one frame, and one step of the network (`stream` of @nn/recurrent). What it heard goes to the page.

import { wasm } from "@nn/backend-wasm";
import { type Stream, stream } from "@nn/recurrent";
import { recurrentKernels } from "@nn/recurrent/wasm";
import { setBackend, tensor } from "@nn/tensor";
import { features, HOP, resampler, WINDOW } from "./features.js";
import { Listener, type Trained } from "./net.js";

/** To the page, some frames at a time. */
export interface Live {
  readonly frames: Float32Array;
  /** Empty as long as there is no network. */
  readonly probabilities: Float32Array;
}

declare const sampleRate: number;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void;

/** Frames in a message. */
const TOGETHER = 5;

class Ear extends AudioWorkletProcessor {
  readonly #bring = resampler(sampleRate);
  readonly #window: number[] = [];
  #frames: number[] = [];
  #probabilities: number[] = [];
  #model: Listener | null = null;
  #live: Stream | null = null;

  constructor() {
    super();
    const ready = wasm({ threads: 1, kernels: recurrentKernels }).then(setBackend);
    this.port.onmessage = ({ data }: MessageEvent<Trained | { stop: true }>) => {
      if ("stop" in data) this.#stopped = true;
      else
        ready
          .then(() => this.#learn(data))
          .then(
            () => this.port.postMessage({ learnt: true }),
            (error) => this.port.postMessage({ error: `${error}` }),
          );
    };
  }
  #stopped = false;

  /** Takes the weights of a network; a stream sees when they change. */
  #learn({ hidden, words, state }: Trained): void {
    const tensors = Object.entries(state).map(([name, { shape, data }]) => [name, tensor(data, { shape })] as const);
    const fits = this.#model?.gru.hiddenSize === hidden && this.#model.head.outFeatures === 1 + words.length;
    if (!fits) {
      this.#live?.dispose();
      this.#model = new Listener(hidden, words.length);
      this.#model.loadStateDict(Object.fromEntries(tensors));
      this.#live = stream(this.#model);
    } else this.#model!.loadStateDict(Object.fromEntries(tensors));
    for (const [, t] of tensors) t.dispose();
  }

  process([[channel]]: readonly (readonly Float32Array[])[]): boolean {
    if (channel) this.#window.push(...this.#bring(channel));
    while (this.#window.length >= WINDOW) {
      const frame = features(this.#window.slice(0, WINDOW));
      this.#window.splice(0, HOP);
      this.#frames.push(...frame);
      if (this.#live) this.#probabilities.push(...softmax(this.#live.step(frame)));
      if (this.#frames.length < TOGETHER * frame.length) continue;
      const live: Live = {
        frames: Float32Array.from(this.#frames),
        probabilities: Float32Array.from(this.#probabilities),
      };
      this.port.postMessage(live);
      this.#frames = [];
      this.#probabilities = [];
    }
    return !this.#stopped;
  }
}

function softmax(logits: Float32Array): number[] {
  const top = Math.max(...logits);
  const parts = Array.from(logits, (v) => Math.exp(v - top));
  const sum = parts.reduce((a, b) => a + b, 0);
  return parts.map((v) => v / sum);
}

registerProcessor("ear", Ear);
