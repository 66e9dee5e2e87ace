// Small things that stay from visit to visit. Without them pages work as well, so nothing happens where the browser keeps none.

const key = (name: string) => `nn-playground/${name}`;

export function recall(name: string): string | null {
  try {
    return localStorage.getItem(key(name));
  } catch {
    return null;
  }
}

export function keep(name: string, value: string): void {
  try {
    localStorage.setItem(key(name), value);
  } catch {
    // full, or forbidden
  }
}
