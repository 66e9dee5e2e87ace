/** Milliseconds since `T0` (seconds since 1970, as `date +%s.%N` says it), or since Node or the page started. */
export function sinceStart(): number {
  const t0 = Number((globalThis as { process?: typeof process }).process?.env["T0"]);
  return Math.round(t0 > 0 ? Date.now() - t0 * 1000 : performance.now());
}
