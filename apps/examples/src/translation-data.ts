/** What `translate` learns from: the sentences of Multi30k, or dates and times of day in German and English, generated. */
import { join } from "node:path";
import { buckets, type Dataset, dataset, gunzip, padded, sequences, tokenize, type Vocabulary } from "@nn/train";
import { readBytes, requireFolder, wrong } from "./files.js";
import { random } from "./random.js";

export interface Sentences {
  readonly de: readonly string[];
  readonly en: readonly string[];
}

export interface Corpus {
  readonly train: Sentences;
  readonly validation: Sentences;
  readonly test: Sentences;
}

/** Two more than `Vocabulary` has by itself: where a sentence begins and ends. */
export const SPECIAL = ["<pad>", "<unk>", "<bos>", "<eos>"];
export const [BOS, EOS] = [2, 3];

/** @throws UserError */
export async function readMulti30k(folder: string): Promise<Corpus> {
  const rest = {
    expected: "the folder of Multi30k's files, train.de.gz and so on",
    hint: "Give its path after --data",
  };
  requireFolder(folder, rest);
  const read = async (part: string): Promise<Sentences> => {
    const lines = async (language: string) => {
      const file = join(folder, `${part}.${language}.gz`);
      const text = new TextDecoder().decode(await gunzip(readBytes(file, rest)));
      return text.trim().split(/\r?\n/);
    };
    const [de, en] = [await lines("de"), (await lines("en")).map(partContractions)];
    if (de.length === en.length) return { de, en };
    return wrong(join(folder, `${part}.en.gz`), {
      got: `it has ${en.length} lines`,
      expected: `${de.length}, as the German file`,
      hint: "Take both from one place",
    });
  };
  return { train: await read("train"), validation: await read("val"), test: await read("test_2016_flickr") };
}

/** Dates and times as they are spoken: "am dritten mai um halb vier" is "at half past three on the third of may". */
export function drawPhrases(seed: number, counts: readonly [number, number, number] = [2000, 200, 200]): Corpus {
  const source = random(seed);
  const pick = (n: number) => source.below(n);
  const seen = new Set<string>();
  const part = (count: number): Sentences => {
    const [de, en]: string[][] = [[], []];
    while (de.length < count) {
      const [day, month, hour, minutes] = [pick(DAYS.length), pick(MONTHS.length), pick(HOURS.length), pick(4)];
      const [dayDe, dayEn] = DAYS[day];
      const [monthDe, monthEn] = MONTHS[month];
      const [hourDe, hourEn] = HOURS[hour];
      const nextDe = HOURS[(hour + 1) % HOURS.length][0]; // half past three is halb vier
      const timeDe = [`${hourDe} uhr`, `viertel nach ${hourDe}`, `halb ${nextDe}`, `viertel vor ${hourDe}`][minutes];
      const timeEn = [`${hourEn} o'clock`, `a quarter past ${hourEn}`, `half past ${hourEn}`, `a quarter to ${hourEn}`][
        minutes
      ];
      const phrase = `am ${dayDe} ${monthDe} um ${timeDe}`;
      if (seen.has(phrase)) continue; // what is tested was never seen
      seen.add(phrase);
      de.push(phrase);
      en.push(`at ${timeEn} on the ${dayEn} of ${monthEn}`);
    }
    return { de, en };
  };
  const [train, validation, test] = counts.map(part);
  return { train, validation, test };
}

/** Sentences as numbers. */
export interface Encoded {
  readonly source: readonly Int32Array[];
  /** With BOS before and EOS behind. */
  readonly target: readonly Int32Array[];
}

export function encode(de: Vocabulary, en: Vocabulary, sentences: Sentences): Encoded {
  return {
    source: sentences.de.map((text) => de.encode(text)),
    target: sentences.en.map((text) => Int32Array.of(BOS, ...en.encode(text), EOS)),
  };
}

/**
 * Batches `[{ source, target }, y]`: y (N, L) is the word after each of `target`, 0 behind the end. Few shapes, so that few steps are
 * compiled.
 */
export function pairs({ source, target }: Encoded): Dataset {
  const before = target.map((row) => row.subarray(0, -1));
  const after = target.map((row) => row.subarray(1));
  const x = { source: sequences(source, undefined, { multiple: 16 }), target: padded(before, { multiple: 4 }) };
  return dataset(x, padded(after, { multiple: 4 }));
}

/** Whole batches of about one length of translation, and among those of sentence. */
export function wholeBuckets({ source, target }: Encoded, options: { batchSize: number; seed: number }) {
  const size = target.map(({ length }, i) => 1000 * Math.ceil((length - 1) / 4) + source[i].length);
  const all = buckets(size, { ...options, pool: 200 });
  return (epoch: number) => all(epoch).filter(({ length }) => length === options.batchSize);
}

/** Translates word by word: each German word becomes the English one that is most often where it is, by Dice's coefficient. */
export function wordByWord({ de, en }: Sentences): (text: string) => string {
  const [counts, both] = [new Map<string, number>(), new Map<string, Map<string, number>>()];
  const add = <K>(map: Map<K, number>, key: K) => map.set(key, (map.get(key) ?? 0) + 1);
  for (const [i, text] of de.entries()) {
    const others = new Set(words(en[i]));
    for (const word of others) add(counts, `en ${word}`);
    for (const word of new Set(words(text))) {
      add(counts, `de ${word}`);
      if (!both.has(word)) both.set(word, new Map());
      for (const other of others) add(both.get(word)!, other);
    }
  }
  const best = new Map<string, string>();
  for (const [word, others] of both) {
    const dice = ([other, n]: [string, number]) => n / (counts.get(`de ${word}`)! + counts.get(`en ${other}`)!);
    best.set(word, [...others].reduce((a, b) => (dice(b) > dice(a) ? b : a))[0]);
  }
  return (text) =>
    words(text)
      .map((word) => best.get(word) ?? word)
      .join(" ");
}

// ---------------------------------------------------------------------------------------------

/** "don't" is two words, "man's" too, as published vocabularies have it. */
function partContractions(text: string): string {
  return text.replace(/(n['’]t|['’](?:s|re|ve|ll|d|m))\b/gi, " $1");
}

const words = (text: string) => tokenize(text, "word");
const table = (text: string) => text.split(" ").map((pair) => pair.split("/") as [string, string]);
const DAYS = table(
  "ersten/first zweiten/second dritten/third vierten/fourth fünften/fifth sechsten/sixth siebten/seventh achten/eighth neunten/ninth " +
    "zehnten/tenth elften/eleventh zwölften/twelfth",
);
const MONTHS = table(
  "januar/january februar/february märz/march april/april mai/may juni/june juli/july august/august september/september " +
    "oktober/october november/november dezember/december",
);
const HOURS = table(
  "eins/one zwei/two drei/three vier/four fünf/five sechs/six sieben/seven acht/eight neun/nine zehn/ten elf/eleven zwölf/twelve",
);
