// Light or dark: as the system has it, or as the visitor chose; pictures listen and draw themselves anew.

import { keep, recall } from "./kept.js";

const system = matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<() => void>();

type Theme = "light" | "dark";

export const theme = (): Theme => (recall("theme") as Theme | null) ?? (system.matches ? "dark" : "light");

export function switchTheme(): void {
  keep("theme", theme() === "dark" ? "light" : "dark");
  apply();
}

/** Called after every change. */
export function onTheme(listener: () => void): void {
  listeners.add(listener);
}

export function apply(): void {
  document.documentElement.dataset["theme"] = theme();
  for (const listener of listeners) listener();
}

system.addEventListener("change", apply);
