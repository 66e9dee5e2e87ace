// What goes wrong on a device comes later, and not to the call that caused it. Here it is kept, and thrown at the next
// call: once, as the library stays usable; or at every one, where the device is lost.

import { type Failure, fail, insideModules, type Modules, modulesNow } from "@nn/tensor";

export interface Health {
  /** Whether the device is known to be lost. */
  readonly isLost: boolean;
  /** Throws what has gone wrong since the last time. */
  check(op: string): void;
  /** Runs `make` so that what is wrong with it is told as an error of `op`, in the name of the module that runs now, and `failed` is called. */
  guard<T>(op: string, expected: string, make: () => T, failed?: () => void): T;
  /** Resolves when all that was guarded so far is known to be right or wrong. */
  settled(): Promise<void>;
  /** Resolves when the device is known to be lost, or after a moment. */
  lostOrLater(): Promise<void>;
  /** Nothing is to be told any more. */
  end(): void;
}

/** An error to be thrown, in the name of the module that it is about. */
interface Trouble extends Failure {
  readonly modules: Modules;
}

export function watch(device: GPUDevice): Health {
  let lost: GPUDeviceLostInfo | undefined;
  let trouble: Trouble | undefined;
  let isGuarded = false;
  /** Errors that were told, and whose consequences the device may still tell. */
  let told = 0;
  let ended = false;
  const open = new Set<Promise<unknown>>();
  device.lost.then((info) => {
    lost = info;
  });
  device.addEventListener("uncapturederror", (event) => {
    if (ended) return;
    event.preventDefault?.();
    if (told > 0) return;
    // What follows from an error that is known already says less.
    trouble ??= { op: "webgpu", expected: "work that the device accepts", got: firstLine(event.error), modules: [] };
  });

  const report = (error: GPUError | null, rest: Omit<Trouble, "got">, failed?: () => void) => {
    if (error) failed?.();
    if (!error || isGuarded) return;
    isGuarded = true;
    trouble = { ...rest, got: firstLine(error) };
  };

  return {
    get isLost() {
      return lost !== undefined;
    },
    check(op) {
      if (lost) {
        fail({
          op,
          expected: "a working device",
          got: `one that was lost (${lost.reason}${lost.message ? `: ${lost.message}` : ""})`,
          hint: "What was on it is gone. Make a backend anew with await webgpu(), and restore the last hostCopy, or load the state you saved.",
        });
      }
      // Of an error and what follows from it the second may be known first.
      if (!trouble || (!isGuarded && open.size > 0)) return;
      const { modules, ...now } = trouble;
      trouble = undefined;
      isGuarded = false;
      // Browsers tell of work that was submitted with what could not be made, some time after it.
      const later = () => void told--;
      told++;
      device.queue.onSubmittedWorkDone().then(later, later);
      insideModules(modules, () => fail(now));
    },
    guard(op, expected, make, failed) {
      const modules = modulesNow;
      device.pushErrorScope("out-of-memory");
      device.pushErrorScope("validation");
      let made: ReturnType<typeof make>;
      try {
        made = make();
      } finally {
        const rest = { op, expected, modules };
        const memory = {
          ...rest,
          expected: `memory for ${expected}`,
          hint: "Use smaller batches, or free tensors with scope().",
        };
        const results = [
          device.popErrorScope().then((e) => report(e, rest, failed)),
          device.popErrorScope().then((e) => report(e, memory, failed)),
        ];
        const all = Promise.allSettled(results);
        open.add(all);
        all.then(() => open.delete(all));
      }
      return made;
    },
    async settled() {
      await Promise.all(open);
    },
    async lostOrLater() {
      await Promise.race([device.lost, new Promise((resolve) => setTimeout(resolve, 200))]);
    },
    end() {
      ended = true;
    },
  };
}

const firstLine = (error: GPUError): string =>
  error.message.split("\n")[0]!.replace(/\.$/, "") || "an error without a message";
