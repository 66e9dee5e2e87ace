import { expect, test } from "vitest";
import { readBytes } from "./read.js";
import { writeBytes } from "./write.js";

/** A file in memory that behaves as one of OPFS: what is written is there when it is closed. */
class Handle {
  content = new Blob(["old"]);
  log: string[] = [];
  full = false;

  async getFile() {
    return this.content;
  }

  async createWritable() {
    let copy = new Blob();
    return {
      write: async (bytes: Uint8Array<ArrayBuffer>) => {
        if (this.full) throw new DOMException("no room", "QuotaExceededError");
        copy = new Blob([copy, bytes]);
      },
      close: async () => {
        this.content = copy;
        this.log.push("close");
      },
      abort: async () => {
        this.log.push("abort");
      },
    };
  }
}

test("what is written is read", async () => {
  const handle = new Handle();
  await writeBytes(handle, Uint8Array.of(1, 2, 3).subarray(1));
  expect(await readBytes(handle)).toEqual(Uint8Array.of(2, 3));
  await writeBytes(handle, new ArrayBuffer(2));
  expect(await readBytes(handle)).toEqual(new Uint8Array(2));
  expect(handle.log).toEqual(["close", "close"]);
});

test("a failure leaves the old content, and is the browser's own", async () => {
  const handle = new Handle();
  handle.full = true;
  await expect(writeBytes(handle, new Uint8Array(9))).rejects.toMatchObject({ name: "QuotaExceededError" });
  expect(handle.log).toEqual(["abort"]);
  expect(await handle.content.text()).toBe("old");
});

test("what is no handle", async () => {
  await expect(writeBytes("x" as never, new Uint8Array())).rejects.toThrow(/createWritable\(\), got string/);
});

test("the browser's own types fit", () => {
  const types = (handle: FileSystemFileHandle) => [readBytes(handle), writeBytes(handle, new Uint8Array())];
  expect(types).toBeTypeOf("function");
});
