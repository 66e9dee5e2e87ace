// Linear memory: who has which bytes. A list of what is free, and freed blocks kept for the next request of their size;
// grows as needed, up to 4 GiB.

import { fail, type Spec, show } from "@nn/tensor";

const PAGE = 65536;
/** Blocks start at multiples of a cache line. */
const ALIGN = 64;

export interface Heap {
  readonly memory: WebAssembly.Memory;
  /** Address of `bytes` bytes, a multiple of 64. `what` is named when there is no more room. */
  alloc(bytes: number, what?: Spec): number;
  free(address: number): void;
  /** Bytes handed out. */
  readonly used: number;
}

interface Block {
  readonly bytes: number;
  readonly what: Spec | undefined;
}

/** @param start first address that may be handed out */
export function makeHeap(memory: WebAssembly.Memory, start: number): Heap {
  const blocks = new Map<number, Block>();
  /** Freed blocks, by size. */
  const kept = new Map<number, number[]>();
  let end = memory.buffer.byteLength;
  /** All other free bytes, by address. */
  let free = [{ at: start, bytes: end - start }];
  let used = 0;

  /** The first free bytes that are enough. */
  const take = (bytes: number): number | undefined => {
    const space = free.find((b) => b.bytes >= bytes);
    if (!space) return undefined;
    const { at } = space;
    space.at += bytes;
    space.bytes -= bytes;
    return at;
  };
  /** Makes all that is free one list again, neighbours joined. */
  const join = () => {
    for (const [bytes, list] of kept) for (const at of list) free.push({ at, bytes });
    kept.clear();
    const joined: typeof free = [];
    for (const b of free.sort((x, y) => x.at - y.at)) {
      const last = joined.at(-1);
      if (last && last.at + last.bytes === b.at) last.bytes += b.bytes;
      else if (b.bytes > 0) joined.push(b);
    }
    free = joined;
  };
  const grow = (bytes: number) => {
    const last = free.at(-1);
    const more = bytes - (last && last.at + last.bytes === end ? last.bytes : 0);
    // A quarter more than there is, so that growing is rare; or, near the limit, what is needed.
    for (const wanted of [Math.max(more, end / 4), more]) {
      const pages = Math.ceil(wanted / PAGE);
      try {
        memory.grow(pages);
      } catch {
        continue;
      }
      free.push({ at: end, bytes: pages * PAGE });
      end += pages * PAGE;
      return join();
    }
  };

  return {
    memory,
    get used() {
      return used;
    },
    alloc(wanted, what) {
      const bytes = Math.ceil(Math.max(wanted, 1) / ALIGN) * ALIGN;
      let at = kept.get(bytes)?.pop() ?? take(bytes);
      for (const more of [join, grow]) {
        if (at !== undefined) break;
        more(bytes);
        at = take(bytes);
      }
      if (at === undefined) return outOfMemory(bytes, what, blocks, used);
      blocks.set(at, { bytes, what });
      used += bytes;
      return at;
    },
    free(address) {
      const block = blocks.get(address);
      if (!block) return;
      blocks.delete(address);
      used -= block.bytes;
      const list = kept.get(block.bytes);
      if (list) list.push(address);
      else kept.set(block.bytes, [address]);
    },
  };
}

function outOfMemory(bytes: number, what: Spec | undefined, blocks: ReadonlyMap<number, Block>, used: number): never {
  const size = (n: number) => `${(n / 2 ** 20).toFixed(1)} MiB`;
  const name = (b: Block) => `${b.what ? `${show(b.what.shape)} ${b.what.dtype}` : "temporaries"} ${size(b.bytes)}`;
  const largest = [...blocks.values()].sort((a, b) => b.bytes - a.bytes).slice(0, 5);
  return fail({
    op: "alloc",
    expected: `${name({ bytes, what })} of WebAssembly memory, which has 4 GiB at most`,
    got: `${size(used)} in use; the largest: ${largest.map(name).join(", ")}`,
    hint: "Free tensors with scope() or dispose(), or use a smaller batch.",
  });
}
