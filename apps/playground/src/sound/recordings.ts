// The visitor's own words, in the browser's database: one after the other in one file, 16 bits a sample.

import type { Store } from "@nn/train";
import type { Recording } from "./examples.js";

const NAME = "recordings";

export async function readRecordings(store: Store): Promise<Recording[]> {
  const bytes = await store.read(NAME);
  if (!bytes) return [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const all: Recording[] = [];
  for (let at = 0; at < bytes.length; ) {
    const [letters, samples] = [view.getUint32(at), view.getUint32(at + 4)];
    const text = bytes.subarray(at + 8, at + 8 + letters);
    at += 8 + letters;
    all.push({
      word: new TextDecoder().decode(text),
      samples: Float32Array.from({ length: samples }, (_, i) => view.getInt16(at + 2 * i) / 32768),
    });
    at += 2 * samples;
  }
  return all;
}

export async function writeRecordings(store: Store, recordings: readonly Recording[]): Promise<void> {
  const words = recordings.map(({ word }) => new TextEncoder().encode(word));
  const size = recordings.reduce((sum, { samples }, i) => sum + 8 + words[i].length + 2 * samples.length, 0);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [i, { samples }] of recordings.entries()) {
    view.setUint32(at, words[i].length);
    view.setUint32(at + 4, samples.length);
    bytes.set(words[i], at + 8);
    at += 8 + words[i].length;
    for (const v of samples) {
      view.setInt16(at, Math.round(32767 * Math.max(-1, Math.min(1, v))));
      at += 2;
    }
  }
  await store.write(NAME, bytes);
}
