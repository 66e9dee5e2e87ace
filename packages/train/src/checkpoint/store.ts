// Stores: where checkpoints are kept. In browsers: opfs.ts and indexed-db.ts; in Node: `files` of @nn/train/node.

/** Bytes by name. Another kind of storage is these three functions. */
export interface Store {
  /** Keeps the bytes: whole or not at all, whatever happens meanwhile. What had the name before is gone only then. */
  write(name: string, bytes: Uint8Array): Promise<void>;
  /** The bytes, or null if there are none of this name. */
  read(name: string): Promise<Uint8Array | null>;
  /** Forgets them. Nothing happens if there are none. */
  remove(name: string): Promise<void>;
}

/** A store that is gone with the program. */
export function memoryStore(): Store {
  const kept = new Map<string, Uint8Array>();
  return {
    async write(name, bytes) {
      kept.set(name, bytes.slice());
    },
    async read(name) {
      return kept.get(name)?.slice() ?? null;
    },
    async remove(name) {
      kept.delete(name);
    },
  };
}
