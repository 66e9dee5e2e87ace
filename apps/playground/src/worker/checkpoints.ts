// The last state of one run, every two seconds and when asked. Its name in the store has its settings; under the lane's name stands
// which it is, so that other settings begin anew, and what was before is removed. Where nothing can be kept, training goes on.

import { type Callback, type Checkpoint, loadCheckpoint, type Store, saveCheckpoint, type Training } from "@nn/train";
import { reason } from "../frame/reason.js";

export interface Keeper {
  readonly callback: Callback;
  save(run: Training): Promise<void>;
  /** The checkpoint of these settings, or null. */
  read(): Promise<Checkpoint | null>;
}

/** @param warn told what is wrong; "" when it works again */
export function keepCheckpoints(store: Store, lane: string, settings: string, warn: (warning: string) => void): Keeper {
  const own = `${lane} ${settings}`;
  let previous: string | null = null;
  let last = performance.now();
  let warned = false;
  const said = (warning: string) => {
    if (warning || warned) warn(warning);
    warned = warning !== "";
  };
  const write = async (checkpoint: Checkpoint) => {
    previous ??= await nameOf(store, lane);
    await saveCheckpoint(store, own, checkpoint);
    if (previous === own) return;
    await store.write(lane, new TextEncoder().encode(own));
    if (previous) await store.remove(previous);
    previous = own;
  };
  const save = async (run: Training) => {
    const checkpoint = run.checkpoint();
    try {
      await write(checkpoint);
      said("");
    } catch (error) {
      said(`This page cannot keep its state: ${reason(error)}. Training goes on; save the model before you leave.`);
    } finally {
      for (const t of Object.values(checkpoint.tensors)) t.dispose();
      last = performance.now();
    }
  };
  const read = async () => {
    try {
      return (await nameOf(store, lane)) === own ? await loadCheckpoint(store, own) : null;
    } catch (error) {
      said(`What this page kept cannot be read: ${reason(error)}`);
      return null;
    }
  };
  const callback: Callback = {
    order: 2, // what others keep is part of it
    step: (_, run) => (performance.now() - last > 2000 ? save(run) : undefined),
  };
  return { callback, save, read };
}

/** Whether there is a checkpoint of a lane, of any settings. */
export const hasCheckpoint = async (store: Store, lane: string): Promise<boolean> => (await nameOf(store, lane)) !== "";

export async function removeCheckpoint(store: Store, lane: string): Promise<void> {
  const name = await nameOf(store, lane);
  await store.remove(lane);
  if (name) await store.remove(name);
}

/** What the last checkpoint of a lane is called; "" if there is none. */
async function nameOf(store: Store, lane: string): Promise<string> {
  return new TextDecoder().decode((await store.read(lane)) ?? new Uint8Array());
}
