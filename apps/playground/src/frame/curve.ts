// A curve that stays short: past a number of points, each stands for the mean of twice as many as before.

export interface CurveData {
  readonly x: readonly number[];
  readonly y: readonly number[];
  readonly each: number;
}

const MOST = 400;

export class Curve {
  x: number[] = [];
  y: number[] = [];
  /** How many values a point stands for. */
  each = 1;
  #sum = 0;
  #count = 0;

  static from(data?: CurveData): Curve {
    const curve = new Curve();
    if (data) Object.assign(curve, { x: [...data.x], y: [...data.y], each: data.each });
    return curve;
  }

  add(x: number, y: number): void {
    this.#sum += y;
    if (++this.#count < this.each) return;
    this.x.push(x);
    this.y.push(this.#sum / this.#count);
    this.#sum = this.#count = 0;
    if (this.x.length < MOST) return;
    this.each *= 2;
    const half = Array.from({ length: MOST / 2 }, (_, i) => i);
    this.y = half.map((i) => (this.y[2 * i] + this.y[2 * i + 1]) / 2);
    this.x = half.map((i) => this.x[2 * i + 1]);
  }

  get last(): number | undefined {
    return this.y.at(-1);
  }

  toJSON(): CurveData {
    return { x: this.x, y: this.y, each: this.each };
  }
}
