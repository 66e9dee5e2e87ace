/** Whether `--only` asks for a workload: by the beginning of its name, and without any for all. */
export function asksFor(only: readonly string[], name: string): boolean {
  return only.length === 0 || only.some((beginning) => name.startsWith(beginning));
}
