// Low memory: what lies at fixed addresses. Address 0 stays unused.

/** Control block of the threads: i32 words. */
export const CONTROL = 64;
/** What went wrong inside a kernel: code (1 gather, 2 scatterAdd), index, size, axis; and in which step of the plan. */
export const ERROR = 512;
/** Vector constants, up to the heap. */
export const CONSTANTS = 1024;
/** First address of the heap. */
export const HEAP = 65536;

// ── the control block: a cache line per word; thread.ts counts on the order ─────────────────────────

/** Counts the runs: workers wait for it to change. An index in the memory as i32, like the next ones. */
export const EPOCH = CONTROL / 4;
/** {@link OPEN} while workers may join a run, plus the number of those inside. */
export const STATE = EPOCH + 16;
/** Address of the table of the program that runs, or ran last. 0: none. */
export const PROGRAM = EPOCH + 32;
/** Not 0: a thread failed inside a run. */
export const BROKEN = EPOCH + 48;
export const OPEN = 0x10000;

// ── a program's table, whose address its `run` is given ────────────────────────────────────────────

// Words 0 to 2 are for workers: the program's number, its module's address and length. Then the addresses …
/** … of the temporaries, */
export const TEMPORARIES = 3;
/** of the counters, */
export const COUNTERS = 4;
/** of what is kept from run to run, */
export const KEPT = 5;
/** and of each input and result. Then a word for each phase that keeps: whether it has to run. */
export const BUFFERS = 6;
