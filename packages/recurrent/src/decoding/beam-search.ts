// What a sequence-to-sequence model or a language model says next, and next, until it is done: greedy and beam search.

import { fail, indexSelect, mapStructure, scope, show, Tensor, tensor } from "@nn/tensor";
import { atLeast } from "./options.js";

/**
 * One step of a model over a batch of rows.
 *
 * @param state whatever the model carries: a tensor, or arrays and plain objects of tensors; one row per hypothesis
 * @param token the last token of each row (R) i32
 * @returns `logits` (R, V) of the next token, and the next state
 */
export type DecodingStep<S> = (state: S, token: Tensor) => { readonly logits: Tensor; readonly state: S };

/** Options of {@link greedySearch}. */
export interface GreedySearchOptions {
  /** The token that each of the N sequences begins with; not part of the result. */
  readonly start: readonly number[];
  /** The token that ends a sequence; not part of the result. */
  readonly eos: number;
  /** The greatest number of tokens, eos among them. */
  readonly maxLength: number;
}

/** Options of {@link beamSearch}. */
export interface BeamSearchOptions<S> extends GreedySearchOptions {
  /** How many hypotheses are kept per sequence (default 5). */
  readonly beamWidth?: number;
  /** How many results are wanted of each sequence, at most beamWidth (default 1). */
  readonly nBest?: number;
  /**
   * α: hypotheses compete by `logProb / ((5 + length) / 6)^α`, eos counted (Wu et al., "Google's neural machine
   * translation system", 2016, eq. 14). Default 0: the likeliest wins, and that is rather a short one.
   */
  readonly lengthPenalty?: number;
  /** The axis of the state's tensors that counts rows (default 0; that of h and c of GRU and LSTM is 1). */
  readonly batchAxis?: number;
  /**
   * Instead, where tensors differ: the state with other rows, those whose numbers (R) i32 are given, some perhaps more
   * than once.
   */
  readonly reorder?: (state: S, rows: Tensor) => S;
}

/** A sequence of tokens and how likely it is. */
export interface Hypothesis {
  /** Without start and eos. */
  readonly tokens: readonly number[];
  /** Natural logarithm of its probability, eos included. */
  readonly logProb: number;
  /** What it was chosen by: logProb, with the length penalty. */
  readonly score: number;
  /** Whether it ends with eos, and not because of maxLength. */
  readonly finished: boolean;
}

/**
 * Takes the likeliest token at every step.
 *
 * @param step the model; it sees N rows
 * @param state its first state, of N rows
 * @returns one hypothesis per sequence
 * @throws {@link NNError} if an option or the logits do not fit
 * @example
 * ```ts
 * const step = (h: Tensor, token: Tensor) => {
 *   const next = cell.forward(embedding.forward(token), h);
 *   return { logits: head.forward(next), state: next };
 * };
 * const [{ tokens }] = await greedySearch(step, encoded, { start: [BOS], eos: EOS, maxLength: 50 });
 * ```
 */
export async function greedySearch<S>(
  step: DecodingStep<S>,
  state: S,
  options: GreedySearchOptions,
): Promise<Hypothesis[]> {
  const { start, eos, maxLength } = options;
  return (await search("greedySearch", step, state, { start, eos, maxLength, beamWidth: 1 })).map(([best]) => best!);
}

/**
 * Keeps the `beamWidth` best beginnings at every step (Sutskever et al., "Sequence to sequence learning with neural
 * networks", 2014). An ending counts if it is among the best `beamWidth` continuations. A sequence is done when no
 * beginning can become better than what is finished.
 *
 * @param step the model; it sees N · beamWidth rows, those of one sequence side by side, and always as many
 * @param state its first state, of N rows
 * @returns per sequence up to `nBest` hypotheses, the best first
 * @throws {@link NNError} if an option or the logits do not fit
 * @example
 * ```ts
 * const options = { start: [BOS], eos: EOS, maxLength: 50, beamWidth: 4, lengthPenalty: 0.6 };
 * const [hypotheses] = await beamSearch(step, encoded, options);
 * ```
 */
export function beamSearch<S>(step: DecodingStep<S>, state: S, options: BeamSearchOptions<S>): Promise<Hypothesis[][]> {
  return search("beamSearch", step, state, options);
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

/** A beginning. */
interface Beginning {
  readonly tokens: readonly number[];
  readonly logProb: number;
}

/** One sequence being searched: its row of the batch, plus b, belongs to `live[b]`. */
interface Search {
  live: readonly Beginning[];
  readonly done: Hypothesis[];
  over: boolean;
}

async function search<S>(
  op: string,
  step: DecodingStep<S>,
  given: S,
  {
    start,
    eos,
    maxLength,
    beamWidth: width = 5,
    nBest = 1,
    lengthPenalty = 0,
    batchAxis = 0,
    reorder,
  }: BeamSearchOptions<S>,
): Promise<Hypothesis[][]> {
  for (const [name, n] of Object.entries({ maxLength, beamWidth: width, nBest })) atLeast(op, name, n, 1);
  atLeast(op, "eos", eos, 0);
  for (const token of start) atLeast(op, "start of each sequence", token, 0);
  if (nBest > width) fail({ op, expected: `nBest up to beamWidth ${width}`, got: `${nBest}` });
  if (!Number.isFinite(lengthPenalty)) fail({ op, expected: "a finite lengthPenalty", got: `${lengthPenalty}` });
  if (start.length === 0) return [];

  const penalty = (length: number) => ((5 + length) / 6) ** lengthPenalty;
  /** The state with other rows. All handles are new, and ours to let go. */
  const moved = (state: S, rows: readonly number[], among: number): S =>
    scope(() => {
      if (rows.length === among && rows.every((r, i) => r === i)) return handles(state);
      const numbers = tensor(Int32Array.from(rows));
      return reorder ? handles(reorder(state, numbers)) : mapTensors(state, (t) => indexSelect(t, batchAxis, numbers));
    });
  const searches = start.map((): Search => ({ live: [{ tokens: [], logProb: 0 }], done: [], over: false }));
  let tokens = start.flatMap((token) => new Array<number>(width).fill(token));
  const first = tokens.map((_, i) => Math.floor(i / width));
  let state = moved(given, first, start.length);

  for (let length = 1; length <= maxLength && searches.some((s) => !s.over); length++) {
    const [logProbs, next] = scope(() => {
      const { logits, state: after } = step(state, tensor(Int32Array.from(tokens)));
      if (logits.rank !== 2 || logits.shape[0] !== tokens.length || logits.shape[1]! <= eos) {
        const expected = `logits (${tokens.length}, V) of every row, V > eos ${eos}`;
        fail({ op, expected, got: show(logits.shape) });
      }
      return [logits.logSoftmax(-1), handles(after)] as const;
    });
    letGo(state);
    const data = await logProbs.read();
    const classes = logProbs.shape[1]!;
    logProbs.dispose();

    const rows: number[] = [];
    const chosen: number[] = [];
    for (const [n, s] of searches.entries()) {
      const found = s.over ? [] : continuations(s.live, data, n * width * classes, classes, 2 * width);
      // An end that is beaten by `width` continuations is none.
      for (const { from, token, logProb } of found.slice(0, width)) {
        if (token === eos) end(s, s.live[from]!.tokens, logProb, penalty(length), true);
      }
      if (found.length === 0 && !s.over) for (const b of s.live) end(s, b.tokens, b.logProb, penalty(length), false);
      const lives = found.filter(({ token }) => token !== eos).slice(0, width);
      s.live = lives.map(({ from, token, logProb }) => ({ tokens: [...s.live[from]!.tokens, token], logProb }));
      for (let b = 0; b < width; b++) {
        rows.push(n * width + (lives[b]?.from ?? 0));
        chosen.push(lives[b]?.token ?? eos); // of rows that nobody looks at
      }
      // Log-probabilities only fall; what weighs least makes the most of them.
      const most = Math.max(penalty(length + 1), penalty(maxLength));
      const bound = (s.live[0]?.logProb ?? Number.NEGATIVE_INFINITY) / most;
      if (s.live.length === 0 || (s.done[nBest - 1]?.score ?? Number.NEGATIVE_INFINITY) >= bound) s.over = true;
      else if (length === maxLength) for (const b of s.live) end(s, b.tokens, b.logProb, penalty(length), false);
    }
    tokens = chosen;
    state = moved(next, rows, rows.length);
    letGo(next);
  }
  letGo(state);
  return searches.map((s) => s.done.slice(0, nBest));
}

/** Adds a hypothesis behind those that are at least as good. */
function end({ done }: Search, tokens: readonly number[], logProb: number, penalty: number, finished: boolean): void {
  const score = logProb / penalty;
  const at = done.findIndex((h) => h.score < score);
  done.splice(at < 0 ? done.length : at, 0, { tokens, logProb, score, finished });
}

interface Continuation {
  readonly from: number;
  readonly token: number;
  readonly logProb: number;
}

/** The best `count` continuations of some beginnings, the likeliest first; of equals the first. */
function continuations(
  live: readonly Beginning[],
  logProbs: ArrayLike<number>,
  offset: number,
  classes: number,
  count: number,
): Continuation[] {
  const best: Continuation[] = [];
  for (const [from, { logProb: before }] of live.entries()) {
    for (let token = 0; token < classes; token++) {
      const logProb = before + logProbs[offset + from * classes + token]!;
      const worst = best.length < count ? Number.NEGATIVE_INFINITY : best[count - 1]!.logProb;
      if (!(logProb > worst)) continue;
      if (best.length === count) best.pop();
      let at = best.length;
      while (at > 0 && best[at - 1]!.logProb < logProb) at--;
      best.splice(at, 0, { from, token, logProb });
    }
  }
  return best;
}

/** The same structure of arrays and plain objects with other tensors. */
const mapTensors = <S>(value: S, f: (t: Tensor) => Tensor): S =>
  mapStructure(value, (v) => (v instanceof Tensor ? f(v) : v)) as S;

/** Handles of our own on the same elements. */
const handles = <S>(state: S): S => mapTensors(state, (t) => t.slice([]));

function letGo<S>(state: S): void {
  mapTensors(state, (t) => {
    t.dispose();
    return t;
  });
}
