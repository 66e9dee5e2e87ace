// What models and optimisers hold, copied to the host, to go on from where the device is lost.

import { defaultGenerator, scope, type Tensor, tensor } from "@nn/tensor";

/** A Module, an optimiser, a GradScaler, …: what has its state as tensors by name. */
export interface Stateful {
  stateDict(): Readonly<Record<string, Tensor>>;
  loadStateDict(state: Record<string, Tensor>): unknown;
  /** An optimiser's, with learning rates that were set as numbers. */
  readonly groups?: readonly { lr: number }[];
}

export interface HostCopy {
  /** Gives all of it back its values from then, on the backend that is now set. May be called several times. */
  restore(): void;
}

/**
 * Copies what models and optimisers hold to the host, and the state of the default random numbers. The copy is of the moment of the call: steps that
 * are made while it is on its way change nothing in it, and need not wait for it.
 *
 * A lost device takes all tensors with it. With a copy the same objects, and the same compiled steps, go on on another one (or on another backend):
 *
 * @example
 * ```ts
 * let copy = await hostCopy(model, optimizer);
 * for (let i = 0; i < steps; i++) {
 *   try {
 *     await step(...batch(i)).item();
 *     if (i % 100 === 0) copy = await hostCopy(model, optimizer);
 *   } catch (e) {
 *     if (!backend.isLost) throw e;
 *     setBackend((backend = await webgpu()));
 *     copy.restore();
 *   }
 * }
 * ```
 */
export async function hostCopy(...owners: readonly Stateful[]): Promise<HostCopy> {
  const rates = owners.map(({ groups }) => groups?.map(rateOf));
  const states = owners.map((owner) => Object.entries(owner.stateDict()));
  // All is submitted here, before anything is waited for.
  const [seed, ...held] = await Promise.all([
    take(defaultGenerator().state.value),
    ...states.flat().map(([, t]) => take(t)),
  ]);
  return {
    restore() {
      scope(() => {
        defaultGenerator().state.value = seed!();
        let next = 0;
        owners.forEach((owner, i) => {
          owner.loadStateDict(Object.fromEntries(states[i]!.map(([key]) => [key, held[next++]!()])));
          owner.groups?.forEach((group, g) => {
            const lr = rates[i]?.[g];
            if (lr !== undefined) group.lr = lr;
          });
        });
      });
    },
  };
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

/** Reads a tensor, frees it, and gives what makes it anew. */
async function take(t: Tensor): Promise<() => Tensor> {
  const { shape, dtype } = t;
  const reading = t.read();
  t.dispose(); // what was submitted still runs
  const data = await reading;
  return () => tensor(data, { shape, dtype });
}

/** Rates of a state dict are not known as numbers. */
function rateOf(group: { readonly lr: number }): number | undefined {
  try {
    return group.lr;
  } catch {
    return undefined;
  }
}
