// npz, NumPy's archive of named arrays: a zip of npy files.

import { fail, type Tensor } from "@nn/tensor";
import { zipSync } from "fflate";
import { fromState, toState } from "../numbers.js";
import { hasLoneSurrogate, label, quote, type StoredTensor, toBytes, type Where } from "../stored.js";
import { npySize, readNpy, writeNpy } from "./npy.js";
import { unzip } from "./zip.js";

/** Options of reading an npz file. */
export interface NpzReadOptions {
  /** Most bytes that compressed arrays may come to, all together (default 1 GiB): a small archive can hold a lot. */
  readonly maxBytes?: number;
}

/** Options of writing an npz file. */
export interface NpzWriteOptions {
  /** Whether to compress, as `numpy.savez_compressed` (default false, as `numpy.savez`). */
  readonly compress?: boolean;
}

/**
 * The tensors of an npz file, by name; dtypes as in {@link loadNpy}.
 *
 * Source of the format: https://numpy.org/doc/stable/reference/generated/numpy.savez.html
 *
 * @param file The whole file. Its bytes are copied.
 * @returns An object without prototype, so that any name is safe, in the order of the archive.
 * @throws NNError (op `"npz"`) for a malformed archive or array, one whose checksum differs, or one that unpacks to more
 *   than `maxBytes`.
 *
 * @example
 * ```ts
 * const { x_train, y_train } = loadNpz(await readBytes("mnist.npz"));
 * ```
 */
export function loadNpz(file: Uint8Array | ArrayBuffer, options: NpzReadOptions = {}): Record<string, Tensor> {
  return toState("npz", parseNpz(file, options));
}

/**
 * An npz file of these tensors; the same tensors give the same bytes. NumPy reads it with `numpy.load`.
 *
 * Source of the format: https://numpy.org/doc/stable/reference/generated/numpy.savez.html
 *
 * @param state By name, e.g. `model.stateDict()`.
 * @throws NNError (op `"npz"`) for what is no Tensor, a name that UTF-8 cannot write, or 4 GiB and more.
 *
 * @example
 * ```ts
 * await writePath("run.npz", await saveNpz({ loss, accuracy }, { compress: true }));
 * ```
 */
export async function saveNpz(
  state: Readonly<Record<string, Tensor>>,
  options: NpzWriteOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  return serializeNpz(await fromState("npz", state), options);
}

/**
 * Takes an npz file apart, without making tensors: each array as {@link parseNpy} gives it.
 *
 * @throws NNError (op `"npz"`), as {@link loadNpz}, but any value passes.
 */
export function parseNpz(
  file: Uint8Array | ArrayBuffer,
  { maxBytes = 2 ** 30 }: NpzReadOptions = {},
): ReadonlyMap<string, StoredTensor> {
  const files = unzip("npz", toBytes("npz", file), {
    maxBytes,
    sizeFrom: (path, start) => npySize(whereOf(path), start),
  });
  return new Map([...files].map(([path, bytes]) => [nameOf(path), readNpy(whereOf(path), bytes)]));
}

/**
 * Makes an npz file.
 *
 * @throws NNError (op `"npz"`) for a dtype that NumPy does not have, a bad shape, data of another size, a name that
 *   is too long or that UTF-8 cannot write, or 4 GiB and more.
 */
export function serializeNpz(
  tensors: ReadonlyMap<string, StoredTensor> | Readonly<Record<string, StoredTensor>>,
  { compress = false }: NpzWriteOptions = {},
): Uint8Array<ArrayBuffer> {
  const list = tensors instanceof Map ? [...tensors] : Object.entries(tensors as Record<string, StoredTensor>);
  const files: Record<string, Uint8Array> = {};
  let total = 0;
  for (const [name, stored] of list) {
    const tensor = label(name);
    if (hasLoneSurrogate(name) || name.length > MAX_NAME) {
      const expected = `a name of at most ${MAX_NAME} characters that UTF-8 can write`;
      fail({ op: "npz", expected, got: tensor, hint: "Rename the tensor." });
    }
    const file = writeNpy({ op: "npz", tensor }, stored);
    files[`${name}.npy`] = file;
    total += file.length + 6 * name.length + 100; // the name twice, in UTF-8
  }
  if (total >= 2 ** 32 - 2 || list.length >= 0xffff) {
    fail({
      op: "npz",
      expected: "less than 4 GiB and 65535 arrays",
      got: `${total} bytes in ${list.length} arrays`,
      hint: "Save to several files, or as safetensors.",
    });
  }
  // A fixed date, which the format asks for: its first.
  return zipSync(files, { level: compress ? 6 : 0, mtime: new Date(1980, 0, 1) }) as Uint8Array<ArrayBuffer>;
}

function nameOf(path: string): string {
  if (path.endsWith(".npy")) return path.slice(0, -".npy".length);
  return fail({
    op: "npz",
    expected: "only .npy files in the archive",
    got: quote(path),
    hint: "It is another kind of zip file: unpack it with a zip library, and the arrays in it with loadNpy().",
  });
}

function whereOf(path: string): Where {
  return { op: "npz", tensor: label(nameOf(path)) };
}

/** In UTF-8 at most 64 KiB, which is the format's limit. */
const MAX_NAME = 20_000;
