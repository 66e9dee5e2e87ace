// Turns: between steps, whoever else wants the thread gets it, so that a page or a server stays responsive.

/** How long one may hold the thread, in milliseconds. */
const TURN = 8;

/** Called between steps: gives way if it is time to. */
export function turns(): () => Promise<void> | undefined {
  let since = performance.now();
  return () => {
    if (performance.now() - since < TURN) return undefined;
    return giveWay().then(() => {
      since = performance.now();
    });
  };
}

/** Lets timers, input and input/output have their turn. */
export function giveWay(): Promise<void> {
  const { scheduler, setImmediate } = globalThis as {
    scheduler?: { yield?: () => Promise<void> };
    setImmediate?: (f: () => void) => void;
  };
  if (setImmediate) return new Promise((resolve) => setImmediate(resolve)); // Node
  if (scheduler?.yield) return scheduler.yield();
  // Unlike a timer, a message is not held back for 4 ms.
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
