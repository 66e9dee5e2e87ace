// What a network trained with CTC says: the likeliest alignment, or the likeliest labels by prefix beam search.
//
// Runs on the host, in float64: the work is in many small decisions, each on the one before.

import { fail, show, Tensor } from "@nn/tensor";
import { atLeast } from "./options.js";

/** Log-probabilities (T, N, C), or (T, C) for one sequence: a tensor, or nested arrays of numbers. */
export type LogProbs = Tensor | readonly (ArrayLike<number> | readonly ArrayLike<number>[])[];

/** Options of {@link ctcGreedySearch}. */
export interface CTCGreedyOptions {
  /** Class number of the blank (default 0). */
  readonly blank?: number;
  /** How many of the T steps count, of each sequence (default: all). */
  readonly lengths?: readonly number[];
}

/** Options of {@link ctcBeamSearch}. */
export interface CTCBeamOptions extends CTCGreedyOptions {
  /** How many prefixes are kept after each step (default 50). */
  readonly beamWidth?: number;
  /** How many results are wanted of each sequence (default 1). */
  readonly nBest?: number;
  /**
   * Labels less likely than this at a step are not appended there, but for the likeliest (default −∞: none is left
   * out).
   */
  readonly minLogProb?: number;
}

/** A sequence of labels and how likely it is. */
export interface CTCHypothesis {
  /** Class numbers, without blanks. */
  readonly labels: readonly number[];
  /** Natural logarithm of its probability: of one alignment (greedy), or of all that the beam held. */
  readonly logProb: number;
}

/**
 * The likeliest class at each step, repeats joined and blanks dropped: the labels of the likeliest alignment (best path
 * decoding; Graves et al., 2006).
 *
 * @returns one hypothesis per sequence; a single one for (T, C)
 * @throws {@link NNError} if shapes, the blank or lengths do not fit, or a number is NaN
 * @example
 * ```ts
 * const [{ labels }] = await ctcGreedySearch(model.forward(x).logSoftmax(-1)); // (T, 1, C)
 * ```
 */
export async function ctcGreedySearch(
  logProbs: LogProbs,
  { blank = 0, lengths }: CTCGreedyOptions = {},
): Promise<CTCHypothesis[]> {
  return (await sequencesOf("ctcGreedySearch", logProbs, blank, lengths)).map((rows) => {
    const labels: number[] = [];
    let [last, logProb] = [blank, 0];
    for (const row of rows) {
      const best = likeliest(row);
      logProb += row[best]!;
      if (best !== blank && best !== last) labels.push(best);
      last = best;
    }
    return { labels, logProb };
  });
}

/**
 * The likeliest labels, whatever their alignment: prefix beam search (Graves et al., 2006; Hannun et al., "First-pass
 * large vocabulary continuous speech recognition", 2014, without a language model). Exact, if the beam is wide enough
 * for all prefixes.
 *
 * @returns per sequence up to `nBest` hypotheses, the likeliest first; a single list for (T, C)
 * @throws {@link NNError} if shapes or options do not fit, or a number is NaN
 * @example
 * ```ts
 * const [hypotheses] = await ctcBeamSearch(logProbs, { beamWidth: 20, nBest: 3, minLogProb: Math.log(1e-4) });
 * ```
 */
export async function ctcBeamSearch(
  logProbs: LogProbs,
  { blank = 0, lengths, beamWidth = 50, nBest = 1, minLogProb = Number.NEGATIVE_INFINITY }: CTCBeamOptions = {},
): Promise<CTCHypothesis[][]> {
  const op = "ctcBeamSearch";
  atLeast(op, "beamWidth", beamWidth, 1);
  atLeast(op, "nBest", nBest, 1);
  return (await sequencesOf(op, logProbs, blank, lengths)).map((rows) => {
    let beam = [new Prefix(null, blank)];
    beam[0]!.start();
    for (const row of rows) beam = advance(beam, row, blank, beamWidth, minLogProb);
    return beam.slice(0, nBest).map((p) => ({ labels: p.labels(), logProb: p.total }));
  });
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

const NEVER = Number.NEGATIVE_INFINITY;

/** A sequence of labels as a node of a tree, so that what leads to the same labels meets in one place. */
class Prefix {
  /** log p of its alignments up to now that end with a blank, and with its last label. */
  #blank = NEVER;
  #label = NEVER;
  /** The same for the next step, as it comes together. */
  #nextBlank = NEVER;
  #nextLabel = NEVER;
  total = NEVER;
  readonly children = new Map<number, Prefix>();

  constructor(
    readonly parent: Prefix | null,
    readonly last: number,
  ) {}

  /** Of the empty prefix: before the first step all is here. */
  start(): void {
    this.#blank = this.total = 0;
  }

  /** A blank or the last label again. */
  stay(row: ArrayLike<number>, blank: number): void {
    this.#nextBlank = logAdd(this.#nextBlank, this.total + row[blank]!);
    if (this.parent) this.#nextLabel = logAdd(this.#nextLabel, this.#label + row[this.last]!);
  }

  /** One more label; null where that cannot be. */
  extend(label: number, logProb: number): Prefix | null {
    // The same label anew needs a blank between.
    const given = (this.parent && label === this.last ? this.#blank : this.total) + logProb;
    if (given === NEVER) return null;
    let child = this.children.get(label);
    if (!child) this.children.set(label, (child = new Prefix(this, label)));
    child.#nextLabel = logAdd(child.#nextLabel, given);
    return child;
  }

  /** The next step is now. */
  commit(): void {
    [this.#blank, this.#label, this.#nextBlank, this.#nextLabel] = [this.#nextBlank, this.#nextLabel, NEVER, NEVER];
    this.total = logAdd(this.#blank, this.#label);
  }

  labels(): number[] {
    return this.parent ? [...this.parent.labels(), this.last] : [];
  }
}

/** The best prefixes one step later, the likeliest first. */
function advance(
  beam: readonly Prefix[],
  row: ArrayLike<number>,
  blank: number,
  width: number,
  minLogProb: number,
): Prefix[] {
  const best = likeliest(row);
  const labels = Array.from(row, (_, c) => c).filter((c) => c !== blank && (row[c]! >= minLogProb || c === best));
  const reached = new Set(beam);
  for (const prefix of beam) {
    prefix.stay(row, blank);
    for (const c of labels) {
      const child = prefix.extend(c, row[c]!);
      if (child) reached.add(child);
    }
  }
  for (const prefix of reached) prefix.commit();
  const ordered = [...reached].sort((a, b) => b.total - a.total || 0);
  const kept = new Set(ordered.slice(0, width).filter(({ total }) => total > NEVER));
  // What leads nowhere leaves the tree, or that would hold all that ever was.
  for (const prefix of ordered) {
    for (let p = prefix; p.parent && p.children.size === 0 && !kept.has(p); p = p.parent)
      p.parent.children.delete(p.last);
  }
  return [...kept];
}

/** log(eᵃ + eᵇ). */
function logAdd(a: number, b: number): number {
  const [low, high] = a < b ? [a, b] : [b, a];
  return low === NEVER ? high : high + Math.log1p(Math.exp(low - high));
}

function likeliest(row: ArrayLike<number>): number {
  let best = 0;
  for (let c = 1; c < row.length; c++) if (row[c]! > row[best]!) best = c;
  return best;
}

/** Of each sequence the rows (C) that count. */
async function sequencesOf(
  op: string,
  logProbs: LogProbs,
  blank: number,
  lengths: readonly number[] | undefined,
): Promise<ArrayLike<number>[][]> {
  const steps = logProbs instanceof Tensor ? await rowsOf(op, logProbs) : logProbs.map(batchOf);
  const [batch, classes] = [steps[0]?.length ?? 0, steps[0]?.[0]?.length ?? 0];
  if (steps.some((rows) => rows.length !== batch || rows.some((r) => r.length !== classes)) || batch * classes === 0)
    fail({ op, expected: "logProbs (T, N, C) or (T, C), none of them 0", got: "rows of other lengths, or none" });
  if (steps.some((rows) => rows.some((r) => Array.from(r).some(Number.isNaN))))
    fail({ op, expected: "log-probabilities", got: "NaN" });
  if (!(Number.isInteger(blank) && blank >= 0 && blank < classes))
    fail({ op, expected: `blank from 0 to ${classes - 1}`, got: `${blank}` });
  if (lengths && lengths.length !== batch)
    fail({ op, expected: `${batch} lengths, one per sequence`, got: `${lengths.length}` });
  const odd = lengths?.find((n) => !(Number.isInteger(n) && n >= 0 && n <= steps.length));
  if (odd !== undefined) fail({ op, expected: `lengths from 0 to ${steps.length}`, got: `${odd}` });
  return Array.from({ length: batch }, (_, n) => steps.slice(0, lengths?.[n]).map((rows) => rows[n]!));
}

/** A tensor's numbers as nested arrays (T, N, C). */
async function rowsOf(op: string, logProbs: Tensor): Promise<ArrayLike<number>[][]> {
  if (logProbs.rank !== 2 && logProbs.rank !== 3)
    fail({ op, expected: "logProbs (T, N, C) or (T, C)", got: show(logProbs.shape) });
  const [steps, batch, classes] = (
    logProbs.rank === 3 ? logProbs.shape : [logProbs.shape[0], 1, logProbs.shape[1]]
  ) as readonly [number, number, number];
  const data = await logProbs.read();
  const row = (i: number) => data.subarray(i * classes, (i + 1) * classes);
  return Array.from({ length: steps }, (_, t) => Array.from({ length: batch }, (_, n) => row(t * batch + n)));
}

const batchOf = (step: ArrayLike<number> | readonly ArrayLike<number>[]): readonly ArrayLike<number>[] =>
  typeof step[0] === "number" ? [step as ArrayLike<number>] : (step as readonly ArrayLike<number>[]);
