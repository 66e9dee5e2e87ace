// Metrics of numbers: MAE, RMSE, MAPE, R². Sums are in double precision.

import { checkSame, StreamingMetric, type Values } from "./metric.js";

interface Sums {
  sum: number;
  count: number;
}

/** A mean over all elements. Output and target of one shape. */
abstract class ElementMean extends StreamingMetric<Sums> {
  override result(): number {
    return this.state.sum / this.state.count;
  }
  protected override start(): Sums {
    return { sum: 0, count: 0 };
  }
  protected override add(output: Values, target: Values): void {
    checkSame(this.op, output, target);
    for (let i = 0; i < target.data.length; i++) this.state.sum += this.of(output.data[i], target.data[i]);
    this.state.count += target.data.length;
  }
  protected abstract of(output: number, target: number): number;
}

/** Mean absolute error. Output and target of one shape. */
export class MAE extends ElementMean {
  protected override of(output: number, target: number): number {
    return Math.abs(output - target);
  }
}

/** Mean squared error. Output and target of one shape. */
export class MSE extends ElementMean {
  protected override of(output: number, target: number): number {
    return (output - target) ** 2;
  }
}

/** Root of the mean squared error, of all batches together. */
export class RMSE extends MSE {
  override result(): number {
    return Math.sqrt(super.result());
  }
}

/** Mean absolute error as a share of the target, |y − ŷ| / |y|: 0.1 is 10 %. Targets of 0 count as 2⁻⁵², as in scikit-learn. */
export class MAPE extends ElementMean {
  protected override of(output: number, target: number): number {
    return Math.abs(output - target) / Math.max(Math.abs(target), Number.EPSILON);
  }
}

/**
 * Coefficient of determination, 1 − Σ(y − ŷ)² / Σ(y − ȳ)², over all elements. NaN if all targets are equal. The spread is added up
 * as Welford (1962) does it, so a large mean costs no accuracy.
 */
export class R2 extends StreamingMetric<{ residual: number; mean: number; spread: number; count: number }> {
  override result(): number {
    const { residual, spread } = this.state;
    return spread === 0 ? Number.NaN : 1 - residual / spread;
  }
  protected override start() {
    return { residual: 0, mean: 0, spread: 0, count: 0 };
  }
  protected override add(output: Values, target: Values): void {
    checkSame(this.op, output, target);
    const { state } = this;
    for (let i = 0; i < target.data.length; i++) {
      const y = target.data[i];
      state.residual += (y - output.data[i]) ** 2;
      const before = y - state.mean;
      state.mean += before / ++state.count;
      state.spread += before * (y - state.mean);
    }
  }
}
