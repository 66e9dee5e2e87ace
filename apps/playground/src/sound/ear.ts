// The page's side of live recognition: sound from the microphone or from an example goes through the worklet, which says what it hears.

import { reason } from "../frame/reason.js";
import type { Trained } from "./net.js";
import type { Live } from "./worklet.js";
// biome-ignore lint/correctness/useImportExtensions: Vite bundles it, and gives its address
import workletUrl from "./worklet.ts?worker&url";

export class LiveEar {
  readonly context = new AudioContext();
  readonly #node: Promise<AudioWorkletNode>;
  /** Who waits until a network is in use, in turn. */
  readonly #waiting: (() => void)[] = [];
  #microphone: { readonly stream: MediaStream; readonly source: MediaStreamAudioSourceNode } | null = null;

  /** @param heard called with every few frames; ended with what put an end to it */
  constructor(heard: (live: Live) => void, ended: (reason: string) => void) {
    const failed = (reason: string) => {
      for (const done of this.#waiting.splice(0)) done();
      ended(reason);
    };
    const start = async () => {
      await this.context.audioWorklet.addModule(workletUrl);
      const node = new AudioWorkletNode(this.context, "ear", {
        numberOfOutputs: 0,
        channelCount: 1,
        channelCountMode: "explicit",
      });
      node.port.onmessage = ({ data }: MessageEvent<Live | { error: string } | { learnt: true }>) => {
        if ("error" in data) failed(data.error);
        else if ("learnt" in data) this.#waiting.shift()?.();
        else heard(data);
      };
      node.onprocessorerror = () => failed("the thread of the sound broke off");
      return node;
    };
    this.#node = start();
    this.#node.catch((error) => failed(reason(error)));
  }

  /** The network to listen with; again when it has learnt more. Waits until it does. */
  async learn(trained: Trained): Promise<void> {
    const node = await this.#node.catch(() => null); // told already
    if (!node) return;
    const learnt = new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
    });
    node.port.postMessage(trained);
    await learnt;
  }

  /** Plays a sound, and listens to it. */
  async play(samples: Float32Array, rate: number): Promise<void> {
    const node = await this.#node;
    await this.context.resume();
    const buffer = this.context.createBuffer(1, samples.length, rate);
    buffer.copyToChannel(samples as Float32Array<ArrayBuffer>, 0);
    const source = new AudioBufferSourceNode(this.context, { buffer });
    source.connect(node);
    source.connect(this.context.destination);
    source.start();
    await new Promise((resolve) => source.addEventListener("ended", resolve));
    source.disconnect();
  }

  get listening(): boolean {
    return this.#microphone !== null;
  }

  /** Opens the microphone, or closes it. */
  async microphone(on: boolean): Promise<void> {
    if (!on) {
      for (const track of this.#microphone?.stream.getTracks() ?? []) track.stop();
      this.#microphone?.source.disconnect();
      this.#microphone = null;
      return;
    }
    const stream = await navigator.mediaDevices.getUserMedia({
      audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
    });
    await this.context.resume();
    const source = this.context.createMediaStreamSource(stream);
    source.connect(await this.#node);
    this.#microphone = { stream, source };
  }
}

/** Records for so many seconds, from when it calls `begun`; samples at the rate that comes with them. */
export async function record(seconds: number, begun: () => void): Promise<{ samples: Float32Array; rate: number }> {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  const recorder = new MediaRecorder(stream);
  const parts: Blob[] = [];
  recorder.addEventListener("dataavailable", ({ data }) => parts.push(data));
  const end = new Promise((resolve) => recorder.addEventListener("stop", resolve));
  recorder.start();
  begun();
  await new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
  recorder.stop();
  await end;
  for (const track of stream.getTracks()) track.stop();
  const context = new OfflineAudioContext(1, 1, 48_000);
  const buffer = await context.decodeAudioData(await new Blob(parts).arrayBuffer());
  return { samples: buffer.getChannelData(0), rate: buffer.sampleRate };
}
