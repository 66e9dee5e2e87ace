// A store in the browser's database (IndexedDB): where OPFS cannot be written, and for checkpoints beside other data.

import { fail } from "@nn/tensor";
import type { Store } from "./store.js";

/**
 * Checkpoints in a database of the origin, by any names. A write is one transaction, which the browser flushes to the disk or undoes as a whole.
 *
 * Browsers may clear what a site keeps when the disk is full; `await navigator.storage.persist()` asks them not to.
 *
 * @param database its name, made if it is not there
 * @throws the browser's own error, e.g. `QuotaExceededError`, with what was there before
 * @example
 * ```ts
 * const store = indexedDBStore("digits");
 * await fit(model, { …, callbacks: [saveLast(store)], resume: await loadCheckpoint(store, "last") });
 * ```
 */
export function indexedDBStore(database: string): Store {
  return {
    async write(name, bytes) {
      const own = bytes.slice(); // a view would take all of its buffer along
      await transact(database, "readwrite", (table) => table.put(own, name));
    },
    async read(name) {
      return (await transact<Uint8Array | undefined>(database, "readonly", (table) => table.get(name))) ?? null;
    },
    async remove(name) {
      await transact(database, "readwrite", (table) => table.delete(name));
    },
  };
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

const TABLE = "checkpoints";

/** A request in a transaction of its own; its result, when the transaction is over. */
async function transact<T>(
  database: string,
  mode: IDBTransactionMode,
  request: (table: IDBObjectStore) => IDBRequest<any>,
): Promise<T> {
  const db = await open(database);
  try {
    return await new Promise((resolve, reject) => {
      const transaction = db.transaction(TABLE, mode, { durability: "strict" });
      const asked = request(transaction.objectStore(TABLE));
      transaction.oncomplete = () => resolve(asked.result);
      transaction.onabort = () => reject(transaction.error);
    });
  } finally {
    db.close(); // so that nobody who wants to delete the database has to wait
  }
}

function open(database: string): Promise<IDBDatabase> {
  if (typeof indexedDB === "undefined") {
    fail({
      op: "indexedDBStore",
      expected: "indexedDB, as browsers have it",
      got: "none",
      hint: "In Node, use files() of @nn/train/node.",
    });
  }
  return new Promise((resolve, reject) => {
    const asked = indexedDB.open(database, 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore(TABLE);
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
}
