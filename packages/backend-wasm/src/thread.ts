// What a worker does: waits for a run, compiles the program if it does not know it, takes part.

/** A program's entry: the address of its table, and which thread calls. */
export type Run = (table: number, thread: number) => void;

/** What a worker is told when it starts: its number (0 is the main thread), and `EPOCH` of addresses.ts. */
export type ThreadData = readonly [memory: WebAssembly.Memory, index: number, epoch: number];

/** A worker's own scope in browsers, its `parentPort` in Node. */
export interface Port {
  onmessage: ((event: { readonly data: ThreadData }) => void) | null;
  postMessage(message: unknown): void;
}

/**
 * Serves runs for ever. It is also sent to workers as text, so its body names nothing from outside of it, and keeps to
 * syntax that no build step replaces by calls of helpers.
 *
 * A worker is never waited for before it has joined a run, and joins only with the program ready. So one that is late,
 * or still compiles, holds nobody up. What it reads before joining may be gone while it reads: hence `still()`.
 */
export function thread(port: Port): void {
  port.onmessage = (event) => {
    const memory = event.data[0];
    const EPOCH = event.data[2];
    const STATE = EPOCH + 16;
    const PROGRAM = EPOCH + 32;
    const BROKEN = EPOCH + 48;
    const OPEN = 0x10000;
    /** Programs by number, the most recently used last. */
    const known = new Map<number, Run>();
    let words = new Int32Array(memory.buffer);
    let epoch = Atomics.load(words, EPOCH);
    const wait = () => {
      if (Atomics.load(words, BROKEN)) throw new Error("another thread failed");
      Atomics.wait(words, BROKEN, 0, 0.02); // who is waited for may need this core
    };
    port.postMessage(0); // ready
    for (;;) {
      // Spins for 50 µs, within which a step's next run often comes, then sleeps.
      for (const until = performance.now() + 0.05; Atomics.load(words, EPOCH) === epoch; ) {
        if (performance.now() < until) continue;
        Atomics.wait(words, EPOCH, epoch);
        Atomics.notify(words, EPOCH, 1); // one wakes the next: it costs the waker more than the woken
      }
      epoch = Atomics.load(words, EPOCH);
      const table = Atomics.load(words, PROGRAM) >>> 2;
      // Others may have grown the memory, of which `buffer` learns so.
      if (table + 3 > words.length && memory.grow(0)) words = new Int32Array(memory.buffer);
      const id = Atomics.load(words, table);
      // An `or` with 0 rather than a load: what was read before it may not be read after it.
      const still = () => Atomics.or(words, PROGRAM, 0) >>> 2 === table && Atomics.or(words, table, 0) === id;
      let run = known.get(id);
      if (!run) {
        const start = words[table + 1]! >>> 0;
        const length = words[table + 2]!;
        if (!table || !id || !still()) continue;
        memory.grow(0);
        words = new Int32Array(memory.buffer);
        const bytes = new Uint8Array(memory.buffer).slice(start, start + length);
        if (!still()) continue;
        const imports = { nn: { m: memory, wait: wait } };
        run = new WebAssembly.Instance(new WebAssembly.Module(bytes), imports).exports.run as Run;
      }
      known.delete(id);
      known.set(id, run);
      if (known.size > 256) known.delete(known.keys().next().value!);

      let state = Atomics.load(words, STATE);
      for (let was = -1; state >= OPEN && was !== state; ) {
        was = state;
        state = Atomics.compareExchange(words, STATE, was, was + 1);
      }
      if (state < OPEN) continue;
      try {
        if (still()) run(table << 2, event.data[1]);
      } catch (e) {
        Atomics.store(words, BROKEN, 1);
        throw e;
      } finally {
        Atomics.sub(words, STATE, 1);
      }
    }
  };
}
