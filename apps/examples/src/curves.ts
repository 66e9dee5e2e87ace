/** Several curves in one small picture of text, each with a symbol of its own. */

/**
 * @param curves by their symbols; later ones are drawn over earlier ones. NaN is a gap
 * @param height lines of the picture
 */
export function drawCurves(curves: Readonly<Record<string, readonly number[]>>, height = 12): string {
  const all = Object.values(curves).flat().filter(Number.isFinite);
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const width = Math.max(...Object.values(curves).map(({ length }) => length));
  const rows = Array.from({ length: height }, () => Array<string>(width).fill(" "));
  for (const [symbol, values] of Object.entries(curves)) {
    for (const [t, value] of values.entries()) {
      if (!Number.isFinite(value)) continue;
      rows[Math.round(((high - value) / (high - low || 1)) * (height - 1))][t] = symbol;
    }
  }
  const label = (row: number) => (row === 0 ? high : row === height - 1 ? low : null)?.toFixed(1) ?? "";
  return rows.map((row, i) => `${label(i).padStart(7)} ┤${row.join("").trimEnd()}`).join("\n");
}
