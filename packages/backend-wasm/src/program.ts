// A plan becomes one module: `run` calls its kernels one after the other, with the addresses of their buffers. With
// threads, every thread runs it; parts of a phase go to whoever comes first.

import type { Plan, Ref } from "@nn/tensor";
import { placeSlots } from "@nn/tensor";
import { BUFFERS, COUNTERS, ERROR, KEPT, TEMPORARIES } from "./addresses.js";
import { type ConstantPool, type Features, type Func, i32, type Local, Module, type Value } from "./build.js";
import { type Phase, type WasmCode, writePhases } from "./code.js";
import { encodeModule, I32 } from "./encode.js";

/** A plan, written down. */
export interface Program {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Bytes of temporaries, and where in them each thread's own begin. */
  readonly temporaries: number;
  /** Bytes of counters, of which each set of parts has two. 0: the program is for one thread. */
  readonly counters: number;
  /** Nanoseconds on one thread, roughly. */
  readonly cost: number;
  /** Bytes that are kept from run to run, and for each phase that keeps the input that it looks at. */
  readonly kept: { readonly bytes: number; readonly inputs: readonly number[] };
}

export interface ProgramOptions {
  readonly features: Features;
  readonly constants: ConstantPool;
  /** Threads that may take part. */
  readonly threads: number;
  /** Nanoseconds of work from which a program is worth waking the other threads for. */
  readonly parallelFrom: number;
}

/** Nanoseconds of work from which a phase is cut into parts, of half as much or more. */
const CUT_FROM = 10_000;

/** Bytes that a step may keep, at most. */
const KEPT_MOST = 1 << 22;

export function writeProgram(
  { steps, slots }: Plan<WasmCode>,
  inputs: number,
  results: number,
  { features, constants, threads, parallelFrom }: ProgramOptions,
): Program {
  const m = new Module(features, constants);
  const phases = writePhases(
    m,
    steps.map((s) => s.code),
  );
  const cost = steps.reduce((sum, { code }) => sum + phases.get(code)!.reduce((s, p) => s + p.cost, 0), 0);
  const cut = Math.min(CUT_FROM, parallelFrom);
  const many = threads > 1 && cost >= parallelFrom ? threads : 1;

  const kept = { bytes: 0, inputs: [] as number[] };
  /**
   * Where a step keeps what its threads share, and which word says whether that has to be written. Steps with one code and
   * one input share that, too: the first of them writes it.
   */
  const places: { code: WasmCode; input: number; at: number; word: number }[] = [];
  const keeping = steps.map(({ code, ins }) => {
    const keeps = phases.get(code)!.find((p) => p.keeps !== undefined)?.keeps;
    const ref = keeps === undefined ? undefined : ins[keeps]!;
    const bytes = Math.ceil((code.shared ?? 0) / 64) * 64;
    if (!ref || !("input" in ref) || bytes > KEPT_MOST) return null;
    const { input } = ref;
    const place = places.find((p) => p.code === code && p.input === input);
    if (place) return { ...place, writes: false };
    kept.bytes += bytes;
    const word = BUFFERS + inputs + results + kept.inputs.push(input) - 1;
    places.push({ code, input, at: kept.bytes - bytes, word });
    return { ...places.at(-1)!, writes: true };
  });
  // What else a step's threads share is a slot that lives as long as the step.
  const shared = steps.map(({ code }, i) => ({ bytes: keeping[i] ? 0 : (code.shared ?? 0), from: i, to: i }));
  const own = Math.ceil(Math.max(0, ...steps.map(({ code }) => code.scratch ?? 0)) / 64) * 64;
  const { offsets, bytes } = placeSlots([...slots, ...shared], 64);
  const start = Math.ceil(bytes / 64) * 64;

  const run = m.function("run", [I32, I32]);
  const [table, thread] = [run.param(0), run.param(1)];
  const base = run.let(i32.load(table, 4 * TEMPORARIES));
  const scratch = run.let(i32.add(i32.add(base, start), i32.mul(thread, own)));
  const at = (ref: Ref): Value =>
    "slot" in ref
      ? i32.add(base, offsets[ref.slot]!)
      : i32.load(table, 4 * (BUFFERS + ("input" in ref ? ref.input : inputs + ref.result)));

  /** Calls that one thread makes in a row. */
  const calls: Call[] = steps.flatMap(({ code, ins, outs }, i) => {
    const keep = keeping[i];
    const shared = keep ? i32.add(i32.load(table, 4 * KEPT), keep.at) : i32.add(base, offsets[slots.length + i]!);
    const own = phases.get(code)!.filter((p) => p.keeps === undefined || keep?.writes !== false);
    return own.map((phase) => ({
      step: i,
      phase,
      parts: many > 1 && phase.cost >= cut ? phase.parts : 1,
      args: [...[...ins, ...outs].map(at), shared, scratch],
      ...(keep && phase.keeps !== undefined ? { needed: i32.load(table, 4 * keep.word) } : {}),
    }));
  });
  const counters = many > 1 ? writeShared(run, i32.load(table, 4 * COUNTERS), calls, many, cut / 2) : 0;
  if (many === 1)
    for (const call of calls) {
      whole(run, call);
      leaveIfFailed(run, call);
    }
  return {
    bytes: encodeModule(m.functions, { run: run.index }, features.threads),
    temporaries: start + own * many,
    counters,
    cost,
    kept,
  };
}

/** All parts of a phase, if it is needed. */
function whole(run: Func, { phase, args, needed }: Call): void {
  const call = () => run.call(phase.run, ...args, 0, phase.parts);
  if (needed) run.if(needed, call);
  else call();
}

/** What failed is found out after the run; until then nothing may be overwritten. */
function leaveIfFailed(run: Func, { phase, step }: Call): void {
  if (!phase.mayFail) return;
  run.if(i32.load(0, ERROR), () => {
    run.store(ERROR + 16, step);
    run.return();
  });
}

// ── for several threads ────────────────────────────────────────────────────────────────────────────

interface Call {
  /** Of the plan. */
  readonly step: number;
  readonly phase: Phase;
  readonly parts: number;
  readonly args: readonly Value[];
  /** Whether it has to run; absent: always. */
  readonly needed?: Value;
}

/**
 * Parts are handed out by a counter, and a second one counts those that are done: who finds none left waits until all
 * are done. So a thread that comes late, or never, holds nobody up, and there is no fixed number of threads. Calls
 * that are not worth cutting are parts of one.
 */
function writeShared(run: Func, countersAt: Value, calls: readonly Call[], threads: number, atLeast: number): number {
  const counters = run.let(countersAt);
  let used = 0;
  const share = (parts: number, body: (part: Local) => void) => {
    const [next, done] = [used, used + 4];
    used += 64; // a cache line each
    const part = run.local(I32);
    run.doWhile(() => {
      run.set(part, i32.atomicAdd(counters, 1, next));
      const open = run.let(i32.lt_u(part, parts));
      run.if(open, () => {
        body(part);
        run.set(part, i32.atomicAdd(counters, 1, done));
      });
      return open;
    });
    run.if(i32.lt_u(i32.atomicLoad(counters, done), parts), () => {
      const spins = run.let(0);
      run.doWhile(() => {
        run.step(spins, 1);
        run.if(i32.eqz(i32.and(spins, 0xffff)), () => run.call(0, spins));
        return i32.lt_u(i32.atomicLoad(counters, done), parts);
      });
    });
  };
  for (let i = 0; i < calls.length; ) {
    const { phase, parts, args, needed } = calls[i]!;
    if (parts > 1) {
      const each = Math.max(1, Math.floor(parts * Math.max(atLeast / phase.cost || 0, 1 / (8 * threads))));
      const all = () =>
        share(Math.ceil(parts / each), (part) => {
          const from = run.let(i32.mul(part, each));
          run.call(phase.run, ...args, from, i32.min_u(i32.add(from, each), parts));
        });
      if (needed) run.if(needed, all);
      else all();
      leaveIfFailed(run, calls[i++]!);
      continue;
    }
    const first = i;
    do i++;
    while (calls[i]?.parts === 1 && !calls[i - 1]!.phase.mayFail);
    share(1, () => {
      for (const c of calls.slice(first, i)) whole(run, c);
    });
    leaveIfFailed(run, calls[i - 1]!); // all leave: who waited for the part sees what it wrote
  }
  return used;
}
