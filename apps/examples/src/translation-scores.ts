/** How good a translator is: its perplexity, told the right words as it goes or its own; its translations, and where it looked. */
import { crossEntropy, type LossOptions } from "@nn/layers";
import { beamSearch } from "@nn/recurrent";
import { compile, rand, scan, scope, type Tensor, tensor, where } from "@nn/tensor";
import { buckets, type Loader, type LoaderOptions, loader } from "@nn/train";
import { BOS, type Encoded, EOS, pairs } from "./translation-data.js";
import type { Pair, Translator, Writing } from "./translator.js";

/** Over the words that are no padding. */
export function translationLoss(logits: Tensor, y: Tensor, { reduction = "mean" }: LossOptions = {}): Tensor {
  return crossEntropy(logits.flatten(0, 1), y.flatten(), { ignoreIndex: 0, reduction });
}

/** All sentences in batches of 50 of about one length. */
export function inOrder(data: Encoded): Loader {
  return loader(pairs(data), { batches: () => parts(data) });
}

/** exp of the mean loss per word, ends included, where the network is told the right words before each. */
export function perplexity(model: Translator, data: Encoded): Promise<number> {
  return overall(
    model,
    data,
    compile((x, y) => translationLoss(model.forward(x), y, { reduction: "sum" })),
  );
}

/** The same where it is told the words that it would have written itself, the likeliest at each step. */
export function ownPerplexity(model: Translator, data: Encoded): Promise<number> {
  const read = compile(({ source }: Pair) => model.read(source));
  const step = compile((writing: Writing, word: Tensor, y: Tensor) => {
    const { logits, after } = model.write(writing, word);
    return { after, word: logits.argmax(2), loss: translationLoss(logits, y, { reduction: "sum" }) };
  });
  return overall(model, data, (x, y) => {
    let now = { after: read(x), word: x.target.slice([null, [0, 1]]), loss: tensor(0) };
    for (let i = 0; i < y.shape[1]; i++) {
      const next = step(now.after, now.word, y.slice([null, [i, i + 1]]));
      now = { ...next, loss: now.loss.add(next.loss) };
    }
    return now.loss;
  });
}

/**
 * For training: batches in which each word is told right ones before it, or with a chance of `share` those that the network would have
 * written there (scheduled sampling; Bengio et al., 2015), so that it learns to go on from its own.
 */
export function rehearsal(model: Translator, share: number): NonNullable<LoaderOptions["map"]> {
  const rehearse = compile(({ source, target }: Pair, own: Tensor) => {
    const writing = model.read(source);
    const [, words] = scan(
      ({ states, guess }, { right, own }) => {
        const word = where(own, guess, right);
        const { logits, after } = model.write({ ...writing, states }, word.unsqueeze(1));
        return [{ states: after.states, guess: logits.squeeze(1).argmax(1) }, word];
      },
      { states: writing.states, guess: target.select(1, 0) },
      { right: target.transpose(), own },
    );
    return words.transpose();
  });
  return ([x, y], { generator }) => {
    const pair = x as unknown as Pair;
    model.eval(); // without dropout
    using right = pair.target;
    const target = scope(() => rehearse(pair, rand([...right.shape].reverse(), { generator }).lt(share)));
    model.train();
    return [{ ...pair, target }, y];
  };
}

/** The words of each translation, by beam search. */
export async function translations(model: Translator, data: Encoded, beamWidth: number): Promise<number[][]> {
  model.eval();
  const read = compile(({ source }: Pair) => model.read(source));
  const step = compile((writing: Writing, word: Tensor) => {
    const { logits, after } = model.write(writing, word.unsqueeze(1));
    return { logits: logits.squeeze(1), state: after };
  });
  const found: number[][] = [];
  for (const rows of parts(data)) {
    const [x] = (await pairs(data).batch(rows)) as unknown as [Pair];
    const options = { start: [...rows].map(() => BOS), eos: EOS, maxLength: 60, beamWidth, lengthPenalty: 1 };
    const best = await beamSearch(step, read(x), options);
    for (const [i, [{ tokens }]] of best.entries()) found[rows[i]] = [...tokens];
  }
  return found;
}

/** Where the writer looked for each word of a translation and for its end: rows over the words of the source. */
export async function looks(model: Translator, source: Int32Array, words: readonly number[]): Promise<number[][]> {
  model.eval();
  const weights = scope(() => {
    const row = (values: ArrayLike<number>) => tensor(Int32Array.from(values), { shape: [1, values.length] });
    const read = model.read({ values: row(source), lengths: tensor(Int32Array.of(source.length)) });
    return model.write(read, row([BOS, ...words])).weights.squeeze(0);
  });
  return (await weights.toArray()) as number[][];
}

// ---------------------------------------------------------------------------------------------

/** The numbers of 50 sentences at a time, of about one length. */
function parts({ target }: Encoded): readonly Uint32Array[] {
  const lengths = target.map(({ length }) => length);
  return buckets(lengths, { batchSize: 50, shuffle: false, pool: lengths.length })(0);
}

/** exp of the sum of losses over the number of words. */
async function overall(model: Translator, data: Encoded, loss: (x: Pair, y: Tensor) => Tensor): Promise<number> {
  model.eval();
  let sum = 0;
  for await (const [x, y] of inOrder(data).epoch(0)) {
    const part = scope(() => loss(x as unknown as Pair, y as Tensor));
    sum += await part.item();
    part.dispose();
  }
  return Math.exp(sum / data.target.reduce((words, { length }) => words + length - 1, 0));
}
