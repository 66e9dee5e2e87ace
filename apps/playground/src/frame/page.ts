// What every page has around it: the way to the others, the switch between light and dark, the foot.

import { h } from "./dom.js";
import { apply, onTheme, switchTheme, theme } from "./theme.js";

const PAGES = [
  ["digits", "Digits"],
  ["memory", "Memory lab"],
  ["text", "Text"],
  ["forecast", "Forecast"],
  ["sound", "Sound"],
] as const;

export type PageName = (typeof PAGES)[number][0];

const MARK = `<svg width="26" height="22" viewBox="0 0 26 22" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.6">
<path d="M4 4 13 11 22 4M4 18 13 11 22 18M4 4V18M22 4V18" opacity=".55"/><g fill="currentColor" stroke="none"><circle cx="4" cy="4" r="3"/><circle cx="4" cy="18" r="3"/><circle cx="13" cy="11" r="3.4"/><circle cx="22" cy="4" r="3"/><circle cx="22" cy="18" r="3"/></g></svg>`;

/** Puts the frame around the page's `main`. */
export function frame(current: PageName | null): void {
  apply();
  const brand = h("a", { class: "brand", href: "./index.html" });
  brand.innerHTML = `${MARK}<span>@nn playground</span>`;
  const links = PAGES.map(([name, title]) =>
    h("li", {}, h("a", { href: `./${name}.html`, "aria-current": name === current ? "page" : null }, title)),
  );
  const button = h("button", { class: "quiet small", type: "button", onclick: switchTheme });
  const label = () => {
    button.textContent = theme() === "dark" ? "Light theme" : "Dark theme";
  };
  label();
  onTheme(label);
  document.body.prepend(
    h("a", { class: "skip", href: "#main" }, "Skip to the content"),
    h(
      "header",
      { class: "top" },
      h(
        "div",
        {},
        brand,
        h("nav", { "aria-label": "Pages" }, h("ul", {}, ...links)),
        h("div", { class: "tools" }, button),
      ),
    ),
  );
  document.body.append(
    h(
      "footer",
      { class: "foot" },
      h(
        "div",
        {},
        "Everything on these pages runs on your own device: networks train in a worker, in WebAssembly or on the GPU. Nothing you draw, drop or record leaves it.",
      ),
    ),
  );
}
