/**
 * What the tour shows: a progress bar, a loss curve, a table. Into a pipe or a file it writes plain
 * lines, without colour and without a bar that redraws itself.
 */
import type { WriteStream } from "node:tty";
import cliProgress from "cli-progress";
import plot from "simple-ascii-chart";
import { getBorderCharacters, table as makeTable } from "table";

export interface Terminal {
  line(text?: string): void;
  heading(text: string): void;
  /** A bar for `total` steps; `step(loss)` moves it by one. */
  progress(total: number): Progress;
  /** The curve of a loss over the steps. */
  chart(losses: readonly number[]): void;
  /** A table; its first row is the head. */
  table(rows: readonly (readonly string[])[]): void;
  /** Ends a bar that is under way and gives the cursor back. */
  close(): void;
}

export interface Progress {
  step(loss: number): void;
  stop(): void;
}

export type Output = Pick<WriteStream, "write"> & Partial<Pick<WriteStream, "isTTY" | "columns">>;

export function openTerminal(output: Output): Terminal {
  const interactive = output.isTTY === true;
  const colour = interactive && !process.env.NO_COLOR;
  const style = (code: number, text: string): string => (colour ? `\x1b[${code}m${text}\x1b[0m` : text);
  const line = (text = ""): void => {
    output.write(`${text}\n`);
  };
  let running: Progress | null = null;

  return {
    line,
    heading: (text) => line(`\n${style(BOLD, text)}`),
    progress(total) {
      const progress = interactive ? bar(output, total) : milestones(line, total);
      running = progress;
      return progress;
    },
    chart(losses) {
      const drawn = drawCurve(losses, Math.min(64, (output.columns ?? 80) - 12));
      if (drawn) line(indent(drawn.replace(/[━┃┏┓┗┛]+/g, (curve) => style(CYAN, curve))));
    },
    table([head, ...rows]) {
      const drawn = makeTable([head.map((cell) => style(BOLD, cell)), ...rows.map((row) => [...row])], {
        border: getBorderCharacters("norc"),
        drawHorizontalLine: (i, count) => i <= 1 || i === count,
      });
      line(indent(drawn.trimEnd()));
    },
    close() {
      running?.stop();
      running = null;
    },
  };
}

// ---------------------------------------------------------------------------------------------

const BOLD = 1;
const CYAN = 36;

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, "  ").replace(/ +$/gm, "");
}

function bar(output: Output, total: number): Progress {
  const single = new cliProgress.SingleBar(
    {
      format: "  {bar} {value}/{total} · loss {loss} · {eta_formatted} left",
      barsize: 32,
      stream: output as WriteStream,
      hideCursor: true,
      clearOnComplete: true,
      gracefulExit: false, // Ctrl-C is handled in one place: index.ts
    },
    cliProgress.Presets.shades_classic,
  );
  single.start(total, 0, { loss: "…" });
  return {
    step: (loss) => single.increment(1, { loss: loss.toFixed(3) }),
    stop: () => single.stop(),
  };
}

/** Where nothing can be redrawn: a line at every quarter. */
function milestones(line: (text: string) => void, total: number): Progress {
  let done = 0;
  return {
    step(loss) {
      done++;
      const quarter = (n: number): number => Math.floor((4 * n) / total);
      if (quarter(done) > quarter(done - 1)) line(`  step ${done}/${total} · loss ${loss.toFixed(3)}`);
    },
    stop() {},
  };
}

/** The curve as text, at most `width` points wide, each the mean of its share of the steps; null if nothing is finite. */
function drawCurve(losses: readonly number[], width: number): string | null {
  const points = Math.min(width, losses.length);
  const curve = Array.from({ length: points }, (_, i): [number, number] => {
    const [from, to] = [Math.floor((i * losses.length) / points), Math.floor(((i + 1) * losses.length) / points)];
    return [to, losses.slice(from, to).reduce((sum, loss) => sum + loss, 0) / (to - from)];
  }).filter(([, loss]) => Number.isFinite(loss));
  if (curve.length < 2) return null;
  const top = Math.max(...curve.map(([, loss]) => loss));
  const last = curve[curve.length - 1][0];
  return plot(curve, {
    width,
    height: 8,
    yRange: [0, top],
    customYAxisTicks: [0, top / 2, top],
    customXAxisTicks: [curve[0][0], Math.round(last / 2), last],
    formatter: (value, { axis }) => (axis === "y" ? value.toFixed(2) : value),
  });
}
