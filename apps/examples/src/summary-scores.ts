/** What the networks of `summarise` write, and how much of it is right. */
import { greedySearch } from "@nn/recurrent";
import { compile, type Tensor } from "@nn/tensor";
import type { Vocabulary } from "@nn/train";
import type { Summariser, Task, Writing } from "./summariser.js";
import { BOS, EOS, number, type Report, reports, SUMMARY } from "./summary-data.js";

/** Greedy search: a line for each record. */
export async function write(model: Summariser, vocabulary: Vocabulary, list: readonly Report[]): Promise<string[]> {
  model.eval();
  const read = compile(({ record }: Task) => model.read(record));
  const step = compile((writing: Writing, word: Tensor) => {
    const { logProbs, after } = model.write(writing, word.unsqueeze(1));
    return { logits: logProbs.squeeze(1), state: after };
  });
  const [x] = (await reports(vocabulary, list).batch(Uint32Array.from(list.keys()))) as unknown as [Task];
  const found = await greedySearch(step, read(x), { start: list.map(() => BOS), eos: EOS, maxLength: SUMMARY });
  return found.map(({ tokens }, i) => {
    const words = [...vocabulary.tokens, ...number(vocabulary, list[i].record).unknown];
    return tokens.map((token) => words[token]).join(" ");
  });
}

/** Shares, %. */
export interface Scores {
  readonly whole: number;
  /** Of the words that are in the record alone, and stand where they should. */
  readonly copied: number;
}

/** The lines beside those that are right. */
export function compare(lines: readonly string[], list: readonly Report[], frequent: Vocabulary): Scores {
  const [whole, copied]: boolean[][] = [[], []];
  for (const [i, { summary }] of list.entries()) {
    whole.push(lines[i] === summary);
    const said = lines[i].split(" ");
    for (const [at, word] of summary.split(" ").entries()) {
      if (!frequent.tokens.includes(word)) copied.push(said[at] === word);
    }
  }
  const percent = (right: readonly boolean[]) => (100 * right.filter(Boolean).length) / right.length;
  return { whole: percent(whole), copied: percent(copied) };
}
