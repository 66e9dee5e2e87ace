// Gradient norms while a network trains: a row per look, a number per time step. As rows get many, every other one goes.

const MOST = 48;

export class Rows {
  /** At which training step each row was seen. */
  at: number[] = [];
  /** Powers of ten, row after row. */
  logs: number[] = [];
  /** A look every so many steps. */
  every = 8;

  constructor(readonly steps: number) {}

  wants(step: number): boolean {
    return step === 1 || step % this.every === 0;
  }

  add(step: number, norms: Float32Array): void {
    this.at.push(step);
    for (const norm of norms) this.logs.push(Math.round(100 * Math.log10(Math.max(norm, 1e-20))) / 100);
    if (this.at.length < MOST) return;
    this.every *= 2;
    const kept = this.at.map((_, i) => i).filter((i) => this.at[i] === 1 || this.at[i] % this.every === 0);
    this.logs = kept.flatMap((i) => this.logs.slice(i * this.steps, (i + 1) * this.steps));
    this.at = kept.map((i) => this.at[i]);
  }

  toJSON(): Rows {
    const { at, logs, every, steps } = this;
    return { at, logs, every, steps } as Rows;
  }

  load({ at, logs, every }: Rows): void {
    Object.assign(this, { at: [...at], logs: [...logs], every });
  }
}
