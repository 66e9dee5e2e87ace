// A few lines instead of a framework: elements are made by `h` and found by `byId`.

type Child = Node | string | null;

/** An element: properties that it has are set, `on…` are listeners, all else are attributes; null leaves one out. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Readonly<Record<string, unknown>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value as EventListener);
    else if (name in element && !name.includes("-")) Object.assign(element, { [name]: value });
    else element.setAttribute(name, `${value}`);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** The element of the page that has this id. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page has no element "${id}"`);
  return element as T;
}

/** A colour of the style sheet as it is now, as `colour("accent")`. */
export function colour(name: string): string {
  const root = getComputedStyle(document.documentElement);
  const both = /light-dark\((.+),(.+)\)/.exec(root.getPropertyValue(`--${name}`)) ?? fail(name);
  return both[root.getPropertyValue("color-scheme") === "dark" ? 2 : 1].trim();
}

function fail(name: string): never {
  throw new Error(`the style sheet has no colour "${name}"`);
}

/** Calls `draw` before the next frame, once however often it is asked. */
export function oncePerFrame(draw: () => void): () => void {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      draw();
    });
  };
}

/** Calls at most once in so many milliseconds, and not before the call before is done; the last call is never lost. */
export function atMostEvery(ms: number, call: () => unknown): () => void {
  let last = Number.NEGATIVE_INFINITY;
  let waiting = false;
  let busy = false;
  const ask = () => {
    if (waiting) return;
    waiting = true;
    if (!busy) setTimeout(go, Math.max(0, last + ms - performance.now()));
  };
  const go = async () => {
    last = performance.now();
    waiting = false;
    busy = true;
    try {
      await call();
    } finally {
      busy = false;
      if (waiting) {
        waiting = false;
        ask();
      }
    }
  };
  return ask;
}
