/** The network of `forecast`, and the naive answers beside it: all read (N, T, F) and say (N, horizon, F). */
import { Dropout, Linear } from "@nn/layers";
import { LSTM } from "@nn/recurrent";
import { Module, type Tensor } from "@nn/tensor";

export const HIDDEN = 64;

/**
 * Reads what was and says by how much each series will differ from its mean of the last day: x (N, T, F) → (N, horizon, F).
 * That mean is taken off before and put back after, since the test part lies at another level than the training part.
 */
export class Forecaster extends Module {
  readonly lstm: LSTM;
  readonly dropout = new Dropout(0.2);
  readonly fc: Linear;

  constructor(
    readonly features: number,
    readonly horizon: number,
  ) {
    super();
    this.lstm = new LSTM(features, HIDDEN, { batchFirst: true });
    this.fc = new Linear(HIDDEN, horizon * features);
  }

  override forward(x: Tensor): Tensor {
    const level = x.slice([null, [-24]]).mean(1, { keepDims: true });
    const { h } = this.lstm.forward(x.sub(level));
    return this.fc
      .forward(this.dropout.forward(h.select(0, 0)))
      .reshape([-1, this.horizon, this.features])
      .add(level);
  }
}

/** Everything stays as it is. */
export class LastValue extends Module {
  constructor(readonly horizon: number) {
    super();
  }
  override forward(x: Tensor): Tensor {
    const [n, , features] = x.shape;
    return x.select(1, -1).unsqueeze(1).expand([n, this.horizon, features]);
  }
}

/** The next 24 hours are as the last 24. */
export class Yesterday extends Module {
  override forward(x: Tensor): Tensor {
    return x.slice([null, [-24]]);
  }
}
