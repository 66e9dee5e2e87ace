// What a saved network says of itself, in the metadata of its safetensors file: where it comes from, and why it may not fit here.

import { parseSafetensors } from "@nn/io";

export interface Maker {
  readonly page: string;
  readonly lane: string;
  readonly settings: Readonly<Record<string, unknown>>;
  /** What a page adds. */
  readonly more?: unknown;
}

/** The key in the metadata. */
export const MAKER = "nn.playground";

/** Null if it is no file of these pages. */
export function makerOf(file: Uint8Array): Maker | null {
  try {
    return JSON.parse(parseSafetensors(file).metadata[MAKER]);
  } catch {
    return null;
  }
}

/** Why weights do not fit, as far as their maker tells: null if that is not the cause. `label` names a setting as the page does. */
export function misfit(made: Maker | null, here: Maker, label: (setting: string) => string): string | null {
  if (!made) return null;
  if (made.page !== here.page) return `it is a network of the page “${made.page}”, and this is “${here.page}”.`;
  if (made.lane !== here.lane) return `it is the ${made.lane}'s, and this is the ${here.lane}.`;
  const other = Object.keys(here.settings).filter((name) => made.settings[name] !== here.settings[name]);
  if (other.length === 0) return null;
  const list = other.map((name) => `${label(name)} ${made.settings[name]} instead of ${here.settings[name]}`);
  return `it was made with ${list.join(", ")}. Choose the same, then load it again.`;
}
