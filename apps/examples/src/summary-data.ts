/** What `summarise` learns from: records of matches and of the weather, and a line on each; and their words as numbers. */
import { type Dataset, dataset, padded, sequences, type Vocabulary } from "@nn/train";
import { type Random, random } from "./random.js";

/** Fields with their values, in any order, and what a newspaper would say. */
export interface Report {
  readonly record: string;
  readonly summary: string;
}

/** Reports for the training, and others of other people, places and clubs. */
export function drawReports(seed: number, count: number, testCount: number): { train: Report[]; test: Report[] } {
  const source = random(seed);
  const all = new Set<string>();
  while (all.size < 400) all.add([0, 0, 0].map(() => source.pick(SYLLABLES)).join(""));
  const names = [...all];
  const report = (names: readonly string[]) => () => source.pick([match, weather])(names, source);
  return {
    train: Array.from({ length: count }, report(names.slice(0, 250))),
    test: Array.from({ length: testCount }, report(names.slice(250))),
  };
}

/** Where a record and a summary begin and end: special tokens besides those of `Vocabulary`. */
export const SPECIAL = ["<pad>", "<unk>", "<bos>", "<eos>"];
export const [UNKNOWN, BOS, EOS] = [1, 2, 3];

/** A record in numbers: words that the vocabulary lacks have the numbers behind it, in the order in which they come. */
export function number(vocabulary: Vocabulary, record: string): { extended: number[]; unknown: string[] } {
  const unknown: string[] = [];
  const extended = record.split(" ").map((word) => {
    const known = vocabulary.index(word);
    if (known !== UNKNOWN) return known;
    if (!unknown.includes(word)) unknown.push(word);
    return vocabulary.size + unknown.indexOf(word);
  });
  return { extended, unknown };
}

/** The most words of a record and of a summary; all are padded to that, so that one step is compiled. */
export const [RECORD, SUMMARY] = [20, 20];

/** Batches `[{ record, before }, y]`: the record with extended numbers, the summary from BOS on, and up to EOS. */
export function reports(vocabulary: Vocabulary, list: readonly Report[]): Dataset {
  const rows = list.map(({ record, summary }) => {
    const { extended, unknown } = number(vocabulary, record);
    const words = summary.split(" ").map((word) => {
      const at = unknown.indexOf(word);
      return at < 0 ? vocabulary.index(word) : vocabulary.size + at;
    });
    return { extended, words };
  });
  const record = rows.map(({ extended }) => extended);
  const before = rows.map(({ words }) => [BOS, ...words]);
  const after = rows.map(({ words }) => [...words, EOS]);
  const [long, short] = [RECORD, SUMMARY].map((multiple) => ({ multiple, dtype: "i32" as const }));
  return dataset({ record: sequences(record, undefined, long), before: padded(before, short) }, padded(after, short));
}

// ---------------------------------------------------------------------------------------------

const SYLLABLES = "ba do fi gu ka le mo na pe ri so tu va wo xa zo bri tal mer kin lun sed tor vel".split(" ");

function match(names: readonly string[], source: Random): Report {
  const [home, away, city, best, referee] = source.shuffle([...names]).slice(0, 5);
  const [scored, conceded, crowd] = [source.below(6), source.below(6), 1000 + source.below(60_000)];
  const fields = { home, away, scored, conceded, city, best, referee, crowd };
  const verb = scored > conceded ? "beat" : scored < conceded ? "lost to" : "drew with";
  const summary = `${home} ${verb} ${away} ${scored} : ${conceded} in ${city} before ${crowd} , ${best} was the best`;
  return { record: record(fields, source), summary };
}

function weather(names: readonly string[], source: Random): Report {
  const [place, station] = source.shuffle([...names]).slice(0, 2);
  const [low, rain, wind] = [100 + source.below(100), source.below(2) * (10 + source.below(90)), source.below(2)];
  const fields = { place, low, high: low + 5 + source.below(80), rain, wind: wind ? "storm" : "calm", station };
  const sky = `${rain > 0 ? `rain of ${rain}` : "no rain"}${wind ? " and a storm" : ""}`;
  return { record: record(fields, source), summary: `${place} has ${sky} , and ${fields.high} at most` };
}

function record(fields: Readonly<Record<string, string | number>>, source: Random): string {
  const pairs = Object.entries(fields).map(([name, value]) => `${name} ${value}`);
  return source.shuffle(pairs).join(" ");
}
