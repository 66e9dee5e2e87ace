import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { PIXELS } from "./dataset.js";
import { MNIST_FILES, readMnist, readPair } from "./idx.js";
import { UserError } from "./user-error.js";

const folder = mkdtempSync(join(tmpdir(), "nn-idx-"));
afterAll(() => rmSync(folder, { recursive: true }));

const IMAGES = join(folder, MNIST_FILES.trainImages);
const LABELS = join(folder, MNIST_FILES.trainLabels);

/** An IDX file: magic, one size per axis, data. */
function idx(magic: number, sizes: readonly number[], data: Uint8Array): Buffer {
  const header = Buffer.alloc(4 + 4 * sizes.length);
  [magic, ...sizes].forEach((word, i) => {
    header.writeUInt32BE(word, 4 * i);
  });
  return Buffer.concat([header, data]);
}

const imageBytes = (count: number) =>
  Uint8Array.from({ length: count * PIXELS }, (_, i) => (Math.floor(i / PIXELS) * 51 + i) % 256);
const images = (count: number) => gzipSync(idx(0x803, [count, 28, 28], imageBytes(count)));
const labels = (...values: number[]) => gzipSync(idx(0x801, [values.length], Uint8Array.from(values)));

beforeEach(() => {
  for (const [name, count] of [
    ["train", 3],
    ["test", 2],
  ] as const) {
    writeFileSync(join(folder, MNIST_FILES[`${name}Images`]), images(count));
    writeFileSync(join(folder, MNIST_FILES[`${name}Labels`]), labels(...[7, 0, 9].slice(0, count)));
  }
});

/** The message of the UserError that reading throws: one paragraph. */
function complaint(read: () => unknown = () => readPair(IMAGES, LABELS, 3)): string {
  try {
    read();
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    const { message } = error as UserError;
    expect(message).not.toContain("\n");
    expect(message).toMatch(/\.$/);
    return message;
  }
  return expect.fail("nothing was thrown");
}

describe("good files", () => {
  it("gives pixels from 0 to 1 and labels, in the file's order", () => {
    const { count, shape, inputs, labels } = readPair(IMAGES, LABELS, 3);
    expect(count).toBe(3);
    expect(shape).toEqual([1, 28, 28]);
    expect([...labels]).toEqual([7, 0, 9]);
    expect(inputs).toEqual(Float32Array.from(imageBytes(3), (byte) => byte / 255));
  });

  it("keeps the first of each half", () => {
    const { train, test } = readMnist(folder, { trainCount: 2, testCount: 1 });
    expect([train.count, train.inputs.length, train.labels.length]).toEqual([2, 2 * PIXELS, 2]);
    expect([test.count, test.inputs.length, test.labels.length]).toEqual([1, PIXELS, 1]);
  });
});

describe("wrong files", () => {
  it("missing folder", () => {
    const nowhere = join(folder, "nowhere");
    const message = complaint(() => readMnist(nowhere, { trainCount: 1, testCount: 1 }));
    expect(message).toContain(`${nowhere}: there is no such folder; expected a folder with the four files of MNIST`);
    expect(message).toContain("--data");
  });

  it("a file in place of the folder", () => {
    expect(complaint(() => readMnist(IMAGES, { trainCount: 1, testCount: 1 }))).toContain(`${IMAGES}: it is a file`);
  });

  it.each(Object.values(MNIST_FILES))("missing %s", (name) => {
    rmSync(join(folder, name));
    const message = complaint(() => readMnist(folder, { trainCount: 1, testCount: 1 }));
    expect(message).toContain(`${join(folder, name)}: there is no such file; expected a gzipped IDX file`);
  });

  it("a folder in place of a file", () => {
    expect(complaint(() => readPair(folder, LABELS, 1))).toContain(`${folder}: it is a folder`);
  });

  it("empty", () => {
    writeFileSync(IMAGES, "");
    expect(complaint()).toContain(`${IMAGES}: it is empty`);
  });

  it("not gzip", () => {
    writeFileSync(IMAGES, "<html>Not found</html>");
    expect(complaint()).toContain(`${IMAGES}: it is not packed with gzip (its first bytes are 3c 68 74 6d)`);
  });

  it("unpacked IDX", () => {
    writeFileSync(LABELS, idx(0x801, [3], Uint8Array.of(7, 0, 9)));
    expect(complaint()).toContain("It looks like an unpacked IDX file: pack it with gzip.");
  });

  it.each([3, 10, 40])("gzip cut off after %i bytes", (length) => {
    writeFileSync(IMAGES, images(3).subarray(0, length));
    expect(complaint()).toContain(`${IMAGES}: it breaks off after ${length} bytes; expected a whole gzip file`);
  });

  it("gzip that lacks only its last byte", () => {
    writeFileSync(IMAGES, images(3).subarray(0, -1));
    expect(complaint()).toContain(`${IMAGES}: it breaks off`);
  });

  it("damaged gzip", () => {
    const bytes = images(3);
    bytes[bytes.length - 6] ^= 0xff; // in the checksum
    writeFileSync(IMAGES, bytes);
    expect(complaint()).toContain(`${IMAGES}: it is damaged (incorrect data check)`);
  });

  it("too short for a header", () => {
    writeFileSync(IMAGES, gzipSync(Uint8Array.of(0, 0, 8, 3, 0)));
    expect(complaint()).toContain(`${IMAGES}: it unpacks to only 5 bytes; expected an IDX image file`);
  });

  it("bad magic number", () => {
    writeFileSync(IMAGES, gzipSync(idx(0xdeadbeef, [3, 28, 28], imageBytes(3))));
    expect(complaint()).toContain(`${IMAGES}: it starts with 0xdeadbeef; expected the magic number 0x00000803`);
  });

  it("labels and images swapped", () => {
    writeFileSync(LABELS, images(3));
    const message = complaint();
    expect(message).toContain(`${LABELS}: it starts with 0x00000803 and so is an IDX image file`);
    expect(message).toContain("swapped");
  });

  it("images of another size", () => {
    writeFileSync(IMAGES, gzipSync(idx(0x803, [3, 32, 32], new Uint8Array(3 * 32 * 32))));
    expect(complaint()).toContain(`${IMAGES}: its images are 32×32; expected images of 28×28 pixels`);
  });

  it("no images", () => {
    writeFileSync(IMAGES, images(0));
    expect(complaint()).toContain(`${IMAGES}: it is empty; expected at least one image`);
  });

  it("fewer pixels than announced", () => {
    writeFileSync(IMAGES, gzipSync(idx(0x803, [4, 28, 28], imageBytes(3))));
    expect(complaint()).toContain(`${IMAGES}: it unpacks to 2368 bytes, 784 too few; expected 3152 bytes`);
  });

  it("more labels than announced", () => {
    writeFileSync(LABELS, gzipSync(idx(0x801, [3], Uint8Array.of(7, 0, 9, 1))));
    expect(complaint()).toContain(`${LABELS}: it unpacks to 12 bytes, 1 too many; expected 11 bytes`);
  });

  it("a count that would need gigabytes", () => {
    writeFileSync(IMAGES, gzipSync(idx(0x803, [0xffffffff, 28, 28], imageBytes(1))));
    expect(complaint()).toContain("its header announces 4294967295 images");
  });

  it("more or fewer labels than images", () => {
    writeFileSync(LABELS, labels(1, 2));
    expect(complaint()).toContain(`${LABELS}: it holds 2 labels; expected 3 labels, one for each image in ${IMAGES}`);
  });

  it("labels over 9", () => {
    writeFileSync(LABELS, labels(1, 10, 3));
    expect(complaint()).toContain(`${LABELS}: label number 2 is 10; expected labels from 0 to 9`);
  });

  it("fewer images than asked for", () => {
    expect(complaint(() => readPair(IMAGES, LABELS, 4))).toContain(`${IMAGES} holds 3 images, but 4 were asked for`);
  });
});
