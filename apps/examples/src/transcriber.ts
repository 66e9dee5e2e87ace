/** The network of `ctc`: from sound to what is heard when. */
import { Conv1d } from "@nn/conv";
import { BatchNorm1d, Dropout, Linear } from "@nn/layers";
import { GRU } from "@nn/recurrent";
import { Module, type Tensor } from "@nn/tensor";
import { BANDS } from "./spoken-data.js";

/** Sound x (N, T, bands) and its lengths (N). */
export interface Sound {
  readonly x: Tensor;
  readonly lengths: Tensor;
}

/** What is heard every 40 ms, (T / 4, N, 11), and how many of these steps count (N). */
export interface Heard {
  readonly logProbs: Tensor;
  readonly lengths: Tensor;
}

export class Transcriber extends Module {
  readonly conv1 = new Conv1d(BANDS, 64, 5, { stride: 2, padding: 2 });
  readonly norm1 = new BatchNorm1d(64);
  readonly conv2 = new Conv1d(64, 96, 5, { stride: 2, padding: 2 });
  readonly norm2 = new BatchNorm1d(96);
  readonly gru = new GRU(96, 96, { bidirectional: true });
  readonly dropout = new Dropout(0.2);
  readonly head = new Linear(192, 11);

  override forward({ x, lengths }: Sound): Heard {
    const low = this.norm1.forward(this.conv1.forward(x.transpose(1, 2))).relu();
    const seen = this.norm2.forward(this.conv2.forward(low)).relu(); // (N, 96, T / 4)
    const left = lengths.add(3).cast("f32").div(4).floor().cast("i32");
    const { output } = this.gru.forward(this.dropout.forward(seen.permute([2, 0, 1])), undefined, { lengths: left });
    return { logProbs: this.head.forward(this.dropout.forward(output)).logSoftmax(2), lengths: left };
  }
}
