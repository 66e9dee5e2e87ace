/** Surnames and the languages they come from: files of a folder, one per language, or a short list. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { readBytes, requireFolder, wrong } from "./files.js";
import { random } from "./random.js";

export interface Names {
  readonly languages: readonly string[];
  readonly train: readonly Name[];
  readonly test: readonly Name[];
}

export interface Name {
  readonly name: string;
  /** Number of its language. */
  readonly language: number;
}

/** Every file NAME.txt is a language, every line of it a surname. @throws UserError */
export function readNames(folder: string): ReadonlyMap<string, readonly string[]> {
  const rest = { expected: "files such as Italian.txt, a surname per line", hint: "Give their folder after --data" };
  requireFolder(folder, rest);
  const files = readdirSync(folder).filter((file) => file.endsWith(".txt"));
  if (files.length < 2) wrong(folder, { got: `it has ${files.length} files of names`, ...rest });
  return new Map(
    files.sort().map((file) => {
      const lines = new TextDecoder().decode(readBytes(join(folder, file), rest)).split(/\r?\n/);
      return [file.slice(0, -4), lines.map((line) => line.trim()).filter((line) => line !== "")];
    }),
  );
}

/**
 * A share of the names to test on. What stands in a list twice counts once, and a name that is of several languages is either trained or
 * tested with all of them: no name that is tested was seen.
 */
export function partNames(lists: ReadonlyMap<string, readonly string[]>, share: number, seed: number): Names {
  const languages = [...lists.keys()];
  const byName = new Map<string, Set<number>>();
  for (const [language, names] of [...lists.values()].entries()) {
    for (const name of names) byName.set(name, (byName.get(name) ?? new Set()).add(language));
  }
  const order = random(seed).shuffle([...byName.keys()].sort());
  const cut = Math.round(share * order.length);
  const part = (names: readonly string[]) =>
    names.flatMap((name) => [...byName.get(name)!].map((language) => ({ name, language })));
  return { languages, train: part(order.slice(cut)), test: part(order.slice(0, cut)) };
}

/** Frequent surnames. */
export const NAMES: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
    German:
      "Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Schäfer Koch Bauer Richter Klein Schröder Neumann " +
      "Schwarz Zimmermann Braun Krüger Hofmann Hartmann Lange Werner Krause Lehmann Köhler Herrmann Walter Kaiser Schulze Fuchs Kühn " +
      "Scholz Möller Weiss Jung Hahn Schubert Vogel Friedrich Günther Keller Winkler Frank Berger Lorenz Baumann Albrecht",
    Italian:
      "Rossi Russo Ferrari Esposito Bianchi Romano Colombo Ricci Marino Greco Bruno Gallo Conti Costa Giordano Mancini Rizzo Lombardi " +
      "Moretti Barbieri Fontana Santoro Mariani Rinaldi Caruso Ferrara Galli Martini Leone Longo Gentile Martinelli Vitale Lombardo Serra " +
      "Coppola Marchetti Parisi Villa Conte Ferraro Ferri Fabbri Bianco Marini Grasso Valentini Messina Sala Gatti",
    Japanese:
      "Sato Suzuki Takahashi Tanaka Watanabe Ito Yamamoto Nakamura Kobayashi Kato Yoshida Yamada Sasaki Yamaguchi Matsumoto Inoue Kimura " +
      "Hayashi Shimizu Yamazaki Mori Abe Ikeda Hashimoto Yamashita Ishikawa Nakajima Maeda Fujita Ogawa Goto Okada Hasegawa Murakami Kondo " +
      "Ishii Saito Sakamoto Endo Aoki Fujii Nishimura Fukuda Ota Miura Okamoto Matsuda Nakagawa Fujiwara Ono",
    Russian:
      "Smirnov Ivanov Kuznetsov Sokolov Popov Lebedev Kozlov Novikov Morozov Petrov Volkov Solovyov Vasilyev Zaytsev Pavlov Semyonov " +
      "Golubev Vinogradov Bogdanov Vorobyov Fyodorov Mikhaylov Belyaev Tarasov Belov Komarov Orlov Kiselyov Makarov Andreev Kovalyov Ilyin " +
      "Gusev Titov Kuzmin Kudryavtsev Baranov Kulikov Alekseev Stepanov Yakovlev Sorokin Sergeev Romanov Zakharov Borisov Korolyov Gerasimov " +
      "Ponomaryov Grigoryev",
  }).map(([language, names]) => [language, names.split(" ")]),
);
