/** `--profile`: where the time of a workload goes, by function, and how much of it is spent outside of WebAssembly. */
import { type Profiler, Session } from "node:inspector/promises";
import { round } from "./result.js";

/** How long a workload is repeated, after warming up; and how often the profiler looks, in microseconds. */
const WARM_MS = 1000;
const MS = 3000;
const INTERVAL_US = 100;
const SHOWN = 15;

export interface Profile {
  /** Percent of the time: JavaScript, the collector, and all else that is no WebAssembly. */
  readonly outsideWasm: number;
  /** For people: the functions that took most. */
  readonly table: string;
}

/** Repeats `run` under V8's sampling profiler. */
export async function profile(run: () => unknown): Promise<Profile> {
  await repeat(run, WARM_MS);
  const session = new Session();
  session.connect();
  try {
    await session.post("Profiler.enable");
    await session.post("Profiler.setSamplingInterval", { interval: INTERVAL_US });
    await session.post("Profiler.start");
    await repeat(run, MS);
    const { profile } = await session.post("Profiler.stop");
    return summary(profile);
  } finally {
    session.disconnect();
  }
}

// ---------------------------------------------------------------------------------------------

async function repeat(run: () => unknown, ms: number): Promise<void> {
  for (const start = performance.now(); performance.now() - start < ms; ) {
    const result = run();
    if (result instanceof Promise) await result;
  }
}

function summary({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): Profile {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const times = new Map<string, number>();
  let [all, inside] = [0, 0];
  const isWasm = (id: number) => frames.get(id)!.url.startsWith("wasm:");
  // What comes before the first and after the last kernel is the profiler's own.
  const [first, last] = [samples.findIndex(isWasm), samples.findLastIndex(isWasm)];
  samples.forEach((id, i) => {
    const { functionName } = frames.get(id)!;
    if (i < first || i > last || functionName === "(idle)") return;
    const time = timeDeltas[i];
    const wasm = isWasm(id);
    all += time;
    if (wasm) inside += time;
    const name = `${wasm ? "wasm" : "js  "} ${functionName || "(anonymous)"}`;
    times.set(name, (times.get(name) ?? 0) + time);
  });
  const percent = (time: number) => ((100 * time) / all).toFixed(2).padStart(6);
  const rows = [...times].sort((a, b) => b[1] - a[1]).slice(0, SHOWN);
  return {
    outsideWasm: round((100 * (all - inside)) / all, 3),
    table: rows.map(([name, time]) => `${percent(time)} %  ${name}`).join("\n"),
  };
}
