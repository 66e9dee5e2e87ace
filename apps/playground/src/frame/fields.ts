// Settings: a page says which there are, and gets a form, the values from the address, and the address for the values.

import { h } from "./dom.js";

interface Common {
  readonly label: string;
  readonly help?: string;
  /** Whether it works at once; else training begins anew when it is changed. */
  readonly live?: boolean;
}
type Option<V> = readonly [value: V, name: string, disabled?: boolean];
export interface Choice<V extends string | number = string | number> extends Common {
  readonly options: readonly Option<V>[];
  readonly value: V;
  /** Whether the address may have another value: the page says later which there are, by `setOptions`. */
  readonly open?: boolean;
}
interface Range extends Common {
  readonly range: readonly [low: number, high: number, step: number];
  readonly value: number;
}
interface Check extends Common {
  readonly value: boolean;
}
export type Field = Choice | Range | Check;
export type Fields = Readonly<Record<string, Field>>;
/** The values of fields by their names. */
export type Values<F extends Fields> = {
  -readonly [K in keyof F]: F[K]["value"] extends boolean ? boolean : F[K]["value"] extends number ? number : string;
};

/** A field with some values to choose from: numbers and names show themselves, other values come with what is shown. */
export function choice<V extends string | number>(
  label: string,
  values: readonly (V | Option<V>)[],
  value: V,
  more: Pick<Choice, "help" | "live" | "open"> = {},
): Choice<V> {
  const shown = (v: V) => (typeof v === "number" ? v.toLocaleString("en", { maximumFractionDigits: 9 }) : `${v}`);
  const options = values.map((v) => (typeof v === "object" ? v : ([v, shown(v)] as const)));
  return { label, options, value, ...more };
}

/** A string, number or boolean as a field wants it; its default where the text is no value of it. */
function parse(field: Field, text: string | null): string | number | boolean {
  if (text === null) return field.value;
  if ("options" in field && field.open) return text;
  if ("options" in field) return field.options.find(([v, , off]) => !off && `${v}` === text)?.[0] ?? field.value;
  if (typeof field.value === "boolean") return text === "1";
  const [low, high] = (field as Range).range;
  const number = Number(text);
  return text !== "" && number >= low && number <= high ? number : field.value;
}

/** The settings of a page, in a form and in the address. */
export class Settings<F extends Fields> {
  readonly values: Values<F>;
  readonly form = h("form", {
    class: "settings",
    "aria-label": "Settings",
    onsubmit: (e: Event) => e.preventDefault(),
  });
  readonly #fields: F;
  readonly #shown: { [name: string]: (value: unknown) => void } = {};

  /** @param changed called when somebody changed one */
  constructor(fields: F, changed: (name: keyof F & string, live: boolean) => void) {
    this.#fields = fields;
    const address = new URLSearchParams(location.search);
    const given = Object.entries(fields).map(([name, field]) => [name, parse(field, address.get(name))]);
    this.values = Object.fromEntries(given) as Values<F>;
    for (const [name, field] of Object.entries(fields)) {
      this.form.append(
        this.#row(name, field, (value) => {
          this.values[name as keyof F] = value as never;
          this.toAddress();
          changed(name, field.live ?? false);
        }),
      );
    }
    this.toAddress();
  }

  set<K extends keyof F & string>(name: K, value: Values<F>[K]): void {
    this.values[name] = value;
    this.#shown[name](value);
    this.toAddress();
  }

  /** Other choices for an open field; if its value is none of them, it becomes the first, and true comes back. */
  setOptions(name: keyof F & string, values: readonly string[]): boolean {
    const select = this.form.querySelector<HTMLSelectElement>(`#set-${name}`)!;
    select.replaceChildren(...values.map((value) => h("option", { value }, value)));
    const other = !values.includes(this.values[name] as string);
    this.set(name, (other ? values[0] : this.values[name]) as never);
    return other;
  }

  /** What differs from the defaults goes into the address: it can be shared, and a reload comes back to it. */
  toAddress(): void {
    const address = new URLSearchParams();
    for (const [name, field] of Object.entries(this.#fields)) {
      const value = this.values[name];
      if (value !== field.value) address.set(name, typeof value === "boolean" ? `${Number(value)}` : `${value}`);
    }
    const text = address.toString();
    history.replaceState(null, "", `${location.pathname}${text && `?${text}`}`);
  }

  #row(name: string, field: Field, changed: (value: unknown) => void): HTMLElement {
    const id = `set-${name}`;
    const help = field.help ? h("small", { id: `${id}-help` }, field.help) : null;
    const described = { id, name, "aria-describedby": help && `${id}-help` };
    if ("options" in field) {
      const options = field.options.map(([value, text, disabled]) => h("option", { value, disabled }, text));
      const select = h("select", described, ...options);
      this.#show(name, (value) => {
        select.value = `${value}`;
      });
      select.addEventListener("change", () => changed(parse(field, select.value)));
      return h("div", { class: "field" }, h("label", { for: id }, field.label), select, help);
    }
    if (typeof field.value === "boolean") {
      const box = h("input", { ...described, type: "checkbox" });
      this.#show(name, (value) => {
        box.checked = value as boolean;
      });
      box.addEventListener("change", () => changed(box.checked));
      return h("div", { class: "field check" }, box, h("label", { for: id }, field.label), help);
    }
    const [min, max, step] = (field as Range).range;
    const output = h("output", { for: id });
    const slider = h("input", { ...described, type: "range" });
    Object.assign(slider, { min, max, step });
    this.#show(name, (value) => {
      slider.value = output.value = `${value}`;
    });
    slider.addEventListener("input", () => {
      output.value = slider.value;
      if (field.live) changed(Number(slider.value));
    });
    slider.addEventListener("change", () => field.live || changed(Number(slider.value)));
    return h("div", { class: "field" }, h("label", { for: id }, field.label, output), slider, help);
  }

  #show(name: string, show: (value: unknown) => void): void {
    this.#shown[name] = show;
    show(this.values[name]);
  }
}
