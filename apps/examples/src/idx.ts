/**
 * Reads MNIST from its four gzipped IDX files, and believes nothing: a missing, cut-off, swapped or
 * foreign file is a `UserError` that names the file, what was expected, what came and what to do.
 *
 * IDX is big-endian: a magic number (0, 0, type 8 = unsigned byte, number of axes), one u32 per
 * axis, then the data. Images have 3 axes (0x00000803), labels 1 (0x00000801).
 */
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { type Dataset, IMAGE, PIXELS, SIDE } from "./dataset.js";
import { readBytes, requireFolder, wrong } from "./files.js";
import { errorCode, reason, UserError } from "./user-error.js";

export const MNIST_FILES = {
  trainImages: "train-images-idx3-ubyte.gz",
  trainLabels: "train-labels-idx1-ubyte.gz",
  testImages: "t10k-images-idx3-ubyte.gz",
  testLabels: "t10k-labels-idx1-ubyte.gz",
} as const;

/** Both halves of MNIST; only the first `trainCount` and `testCount` images of each are kept, or all. */
export function readMnist(
  folder: string,
  { trainCount, testCount }: { trainCount?: number; testCount?: number } = {},
): { train: Dataset; test: Dataset } {
  requireFolder(folder, {
    expected: `a folder with the four files of MNIST (${NAMES})`,
    hint: "Give its path after --data, relative to the folder you are in (the tour draws digits without it)",
  });
  const half = (images: string, labels: string, count?: number): Dataset =>
    readPair(join(folder, images), join(folder, labels), count);
  return {
    train: half(MNIST_FILES.trainImages, MNIST_FILES.trainLabels, trainCount),
    test: half(MNIST_FILES.testImages, MNIST_FILES.testLabels, testCount),
  };
}

/** One image file with its label file; the first `most` of them, or all. */
export function readPair(imageFile: string, labelFile: string, most?: number): Dataset {
  const images = readIdx(imageFile, IMAGES);
  const labels = readIdx(labelFile, LABELS);
  const total = images.sizes[0];
  const count = most ?? total;
  if (labels.sizes[0] !== total) {
    wrong(labelFile, {
      got: `it holds ${items(labels.sizes[0], "label")}`,
      expected: `${items(total, "label")}, one for each image in ${imageFile}`,
      hint: "Take both files from the same half of the data set (train or t10k)",
    });
  }
  const notDigit = labels.data.findIndex((label) => label > 9);
  if (notDigit >= 0) {
    wrong(labelFile, {
      got: `label number ${notDigit + 1} is ${labels.data[notDigit]}`,
      expected: "labels from 0 to 9",
      hint: "Only digits are read here: take the label file of MNIST",
    });
  }
  if (count > total) {
    throw new UserError(
      `${imageFile} holds ${items(total, "image")}, but ${count} were asked for. Ask for at most ${total} with --train-images.`,
    );
  }
  return {
    count,
    shape: IMAGE,
    inputs: Float32Array.from(images.data.subarray(0, count * PIXELS), (byte) => byte / 255),
    labels: Int32Array.from(labels.data.subarray(0, count)),
  };
}

// ---------------------------------------------------------------------------------------------

/** What an IDX file of one kind must look like; `item` is the size of all axes but the first. */
interface Kind {
  readonly name: "image" | "label";
  readonly magic: number;
  readonly axes: number;
  readonly item: readonly number[];
}

const IMAGES: Kind = { name: "image", magic: 0x803, axes: 3, item: [SIDE, SIDE] };
const LABELS: Kind = { name: "label", magic: 0x801, axes: 1, item: [] };

const NAMES = Object.values(MNIST_FILES).join(", ");

const FETCH_AGAIN = "Fetch the file again";

/** Far over the 47 MB of MNIST's largest file: a .gz that unpacks to more is not MNIST. */
const MAX_BYTES = 512 * 2 ** 20;

function readIdx(file: string, kind: Kind): { sizes: number[]; data: Uint8Array } {
  const bytes = unpack(
    file,
    readBytes(file, {
      expected: "a gzipped IDX file",
      hint: `--data needs all four files of MNIST under their usual names (${NAMES})`,
    }),
  );
  const header = 4 + 4 * kind.axes;
  if (bytes.length < header) {
    wrong(file, {
      got: `it unpacks to only ${items(bytes.length, "byte")}`,
      expected: `an IDX ${kind.name} file: a header of ${header} bytes, then the data`,
      hint: FETCH_AGAIN,
    });
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = view.getUint32(0);
  if (magic !== kind.magic) {
    const other = [IMAGES, LABELS].find((known) => known.magic === magic);
    wrong(file, {
      got: `it starts with ${hex(magic)}${other ? ` and so is an IDX ${other.name} file` : ""}`,
      expected: `the magic number ${hex(kind.magic)} of an IDX ${kind.name} file`,
      hint: other ? "The files seem to be swapped: put each under its own name" : FETCH_AGAIN,
    });
  }
  const sizes = Array.from({ length: kind.axes }, (_, axis) => view.getUint32(4 + 4 * axis));
  const [count, ...item] = sizes;
  if (item.join() !== kind.item.join()) {
    wrong(file, {
      got: `its images are ${item.join("×")}`,
      expected: `images of ${kind.item.join("×")} pixels`,
      hint: "The networks are made for MNIST's format: take those files",
    });
  }
  if (count === 0) {
    wrong(file, { expected: `at least one ${kind.name}`, got: "it is empty", hint: FETCH_AGAIN });
  }
  const itemBytes = item.reduce((product, size) => product * size, 1);
  const expected = header + count * itemBytes;
  if (bytes.length !== expected) {
    wrong(file, {
      got: `it unpacks to ${bytes.length} bytes, ${Math.abs(expected - bytes.length)} too ${bytes.length < expected ? "few" : "many"}`,
      expected: `${expected} bytes, since its header announces ${items(count, kind.name)}`,
      hint: FETCH_AGAIN,
    });
  }
  return { sizes, data: bytes.subarray(header) };
}

function unpack(file: string, bytes: Uint8Array): Uint8Array {
  if (bytes.length === 0) {
    wrong(file, { expected: "a gzipped IDX file", got: "it is empty", hint: FETCH_AGAIN });
  }
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) {
    const start = Array.from(bytes.subarray(0, 4), (byte) => byte.toString(16).padStart(2, "0"));
    const isIdx = bytes[0] === 0 && bytes[1] === 0 && bytes[2] === 8;
    wrong(file, {
      got: `it is not packed with gzip (its first bytes are ${start.join(" ")})`,
      expected: "a gzip file, which starts with 1f 8b",
      hint: isIdx ? "It looks like an unpacked IDX file: pack it with gzip" : FETCH_AGAIN,
    });
  }
  try {
    return gunzipSync(bytes, { maxOutputLength: MAX_BYTES });
  } catch (error) {
    const expected = "a whole gzip file";
    switch (errorCode(error)) {
      case "Z_BUF_ERROR":
        return wrong(file, {
          expected,
          got: `it breaks off after ${items(bytes.length, "byte")}`,
          hint: `It was probably cut off on its way here: ${FETCH_AGAIN.toLowerCase()}`,
        });
      case "ERR_BUFFER_TOO_LARGE":
        return wrong(file, {
          got: `it unpacks to over ${MAX_BYTES / 2 ** 20} MB`,
          expected: "a file of MNIST, 47 MB at most after unpacking",
          hint: FETCH_AGAIN,
        });
      default:
        return wrong(file, { expected, got: `it is damaged (${reason(error)})`, hint: FETCH_AGAIN });
    }
  }
}

function items(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, "0")}`;
}
