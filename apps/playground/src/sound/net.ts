// The network of the page: a GRU that says after every frame what it has just heard. So it works on a file as on a stream.

import { Linear } from "@nn/layers";
import { GRU } from "@nn/recurrent";
import { Module, type Tensor } from "@nn/tensor";
import { BANDS } from "./features.js";

/** Frames x (N, T, bands) → logits (N, T, 1 + words); class 0 is "nothing". */
export class Listener extends Module {
  readonly gru: GRU;
  readonly head: Linear;

  constructor(hidden: number, words: number) {
    super();
    this.gru = new GRU(BANDS, hidden, { batchFirst: true });
    this.head = new Linear(hidden, 1 + words);
  }

  override forward(x: Tensor): Tensor {
    return this.head.forward(this.gru.forward(x).output);
  }
}

/** A trained one, as it is sent to the thread of the sound. */
export interface Trained {
  readonly hidden: number;
  readonly words: readonly string[];
  readonly state: Readonly<Record<string, { readonly shape: readonly number[]; readonly data: Float32Array }>>;
}
