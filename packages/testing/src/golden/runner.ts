// Runs golden cases and sums up.

import { type GoldenCase, NotBuilt } from "./case.js";
import { families } from "./families/index.js";
import { compare } from "./rule.js";
import type { Mode } from "./subject.js";

/** What became of a case. */
export type Outcome =
  | { readonly kind: "passed"; readonly id: string; readonly ratio: number }
  | { readonly kind: "failed"; readonly id: string; readonly ratio: number; readonly faults: readonly string[] }
  | { readonly kind: "not built"; readonly id: string; readonly reason: string };

export interface Report {
  readonly family: string;
  readonly outcomes: readonly Outcome[];
  readonly passed: number;
  readonly failed: number;
  readonly notBuilt: number;
  /** The greatest error of any case that ran, in units of what is allowed. */
  readonly worst: number;
}

/** Runs one case on the current backend. */
export async function runCase(c: GoldenCase, mode: Mode): Promise<Outcome> {
  const { id } = c;
  try {
    const family = families[c.family];
    if (!family) throw new NotBuilt(`no family "${c.family}"`);
    const verdicts = (await family(c, mode)).map(({ name, got, want }) => ({ name, ...compare(got, want) }));
    const ratio = Math.max(0, ...verdicts.map((v) => v.ratio));
    const faults = verdicts.filter((v) => v.fault !== "").map((v) => `${v.name}: ${v.fault}`);
    return faults.length === 0 ? { kind: "passed", id, ratio } : { kind: "failed", id, ratio, faults };
  } catch (e) {
    if (e instanceof NotBuilt) return { kind: "not built", id, reason: e.message };
    const fault = e instanceof Error ? `${e.name}: ${e.message}` : String(e);
    return { kind: "failed", id, ratio: Number.POSITIVE_INFINITY, faults: [fault] };
  }
}

/** Runs the cases of a family on the current backend. */
export async function runFamily(family: string, cases: readonly GoldenCase[], mode: Mode): Promise<Report> {
  const outcomes: Outcome[] = [];
  for (const c of cases) outcomes.push(await runCase(c, mode));
  const count = (kind: Outcome["kind"]) => outcomes.filter((o) => o.kind === kind).length;
  const worst = Math.max(0, ...outcomes.map((o) => (o.kind === "not built" ? 0 : o.ratio)));
  return { family, outcomes, passed: count("passed"), failed: count("failed"), notBuilt: count("not built"), worst };
}

/** A line of counts, then one per case that failed or is not built. */
export function describeReport({ family, outcomes, passed, failed, notBuilt, worst }: Report): string {
  const counts = `${String(passed).padStart(4)} passed ${String(failed).padStart(4)} failed ${String(notBuilt).padStart(4)} not built`;
  const lines = outcomes.flatMap((o) => {
    if (o.kind === "failed") return o.faults.map((fault) => `  FAILED ${family}/${o.id}  ${fault}`);
    return o.kind === "not built" ? [`  not built ${family}/${o.id}  ${o.reason}`] : [];
  });
  return [`${family.padEnd(11)}${counts}   worst error ${worst.toFixed(3)} of what is allowed`, ...lines].join("\n");
}
