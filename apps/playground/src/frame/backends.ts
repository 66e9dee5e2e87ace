// The choice of backend and threads, as far as this browser has them, and what was measured on each.

import type { BackendKind } from "../worker/protocol.js";
import { choice } from "./fields.js";
import { keep, recall } from "./kept.js";

const cores = Math.min(8, navigator.hardwareConcurrency || 1);
const threads = Array.from({ length: crossOriginIsolated ? cores : 1 }, (_, i) => i + 1);

/** Two fields that every page has. */
export const backendFields = (several = false) => ({
  backend: choice<string>(
    "Backend",
    [
      ["wasm", "WebAssembly"],
      ["webgpu", "gpu" in navigator ? "WebGPU" : "WebGPU (not in this browser)", !("gpu" in navigator)],
      ["reference", "plain JavaScript"],
    ],
    "wasm",
    { live: true },
  ),
  threads: choice("Threads", threads, several ? 1 : Math.min(2, threads.length), {
    help: crossOriginIsolated
      ? "For WebAssembly. Results have the same bits with any number."
      : "One: the host of this page does not send the headers that shared memory needs.",
    live: true,
  }),
});

export const backendOf = (values: { backend: string; threads: number }) => ({
  backend: values.backend as BackendKind,
  threads: values.threads,
});

/** Samples per second of each backend's last run on a page. */
export function speeds(page: string): { note(backend: string, speed: number): void; other(than: string): string } {
  const key = `speeds/${page}`;
  const all = (): Record<string, { speed: number; at: number }> => JSON.parse(recall(key) ?? "{}");
  return {
    note(backend, speed) {
      keep(key, JSON.stringify({ ...all(), [backend]: { speed, at: Date.now() } }));
    },
    other(than) {
      const others = Object.entries(all()).filter(([backend]) => backend !== than);
      const last = others.sort(([, a], [, b]) => b.at - a.at)[0];
      return last ? `${last[0]}: ${figure(last[1].speed)}` : "";
    },
  };
}

/** A number as people read it: 12,300, or 4.21. */
export function figure(value: number): string {
  const shown = value >= 100 ? Number(value.toPrecision(3)) : value;
  return shown.toLocaleString("en", { maximumFractionDigits: value >= 100 ? 0 : value >= 10 ? 1 : 2 });
}
