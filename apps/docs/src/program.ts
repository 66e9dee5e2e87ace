// A page's blocks of code as one program.

/** The program of a page, and what it prints: the texts after `// →`, in order. */
export function programOf(markdown: string): { readonly code: string; readonly prints: readonly string[] } {
  const blocks = [...markdown.matchAll(/^```ts(?: \{[^}]*\})? *\n(.*?)^```/gms)].map((m) => m[1]!);
  const code = blocks.join("\n");
  return { code, prints: [...code.matchAll(/\/\/ → (.*)$/gm)].map((m) => m[1]!.trim()) };
}
