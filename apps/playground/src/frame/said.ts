// A line that says how things are, to screen readers, too; and one below it for what is wrong besides, for as long as it is.

import { h } from "./dom.js";

export interface Said {
  readonly elements: readonly HTMLElement[];
  say(text: string, wrong?: boolean): void;
  /** "" when all is well again. */
  warn(text: string): void;
}

export function saidLine(id: string, first = ""): Said {
  const said = h("p", { class: "said", role: "status", id }, first);
  const warning = h("p", { class: "said wrong", role: "alert", id: `${id}-warning`, hidden: true });
  return {
    elements: [said, warning],
    say(text, wrong = false) {
      said.textContent = text;
      said.classList.toggle("wrong", wrong);
    },
    warn(text) {
      warning.textContent = text;
      warning.hidden = text === "";
    },
  };
}
