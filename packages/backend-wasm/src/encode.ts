// Bytes of a WebAssembly module: numbers, sections, the frame around functions. Knows nothing of what functions do.
// https://webassembly.github.io/spec/core/binary/

export type Bytes = readonly number[];

/** Value types, by their code. */
export const I32 = 0x7f;
export const V128 = 0x7b;
export type Type = typeof I32 | typeof V128;

/** An unsigned number in LEB128. */
export function unsigned(n: number): number[] {
  const bytes: number[] = [];
  for (; n > 127; n = Math.floor(n / 128)) bytes.push((n & 127) | 128);
  bytes.push(n);
  return bytes;
}

/** A signed 32-bit number in LEB128. */
export function signed(n: number): number[] {
  n |= 0;
  const bytes: number[] = [];
  for (; n < -64 || n > 63; n >>= 7) bytes.push((n & 127) | 128);
  bytes.push(n & 127);
  return bytes;
}

/** A count and the items. */
export function vector(items: readonly Bytes[]): number[] {
  const bytes = unsigned(items.length);
  for (const item of items) for (const b of item) bytes.push(b);
  return bytes;
}

function sized(bytes: Bytes): number[] {
  return unsigned(bytes.length).concat(bytes);
}

function text(s: string): number[] {
  return sized([...s].map((c) => c.charCodeAt(0)));
}

/** What a function, which has no results, needs to be part of a module. */
export interface FunctionBody {
  readonly params: readonly { readonly type: Type }[];
  readonly locals: readonly Type[];
  readonly code: Bytes;
  /** For debuggers and snapshots. */
  readonly name: string;
}

/** Pages of 64 KiB in 4 GiB: the most a 32-bit memory can have. */
export const MAX_PAGES = 65536;

/**
 * A module that imports its memory as `nn.m` and a function `nn.wait (i32) → ()`, and exports functions by name.
 *
 * @param functions in the order of their indices; index 0 is the import
 * @param exported name → index
 */
export function encodeModule(
  functions: readonly FunctionBody[],
  exported: Readonly<Record<string, number>>,
  shared: boolean,
): Uint8Array<ArrayBuffer> {
  const types: Bytes[] = [];
  const typeOf = (params: FunctionBody["params"]): Bytes => {
    const type = [0x60, ...vector(params.map((p) => [p.type])), 0];
    const known = types.findIndex((t) => String(t) === String(type));
    return unsigned(known >= 0 ? known : types.push(type) - 1);
  };
  const imports = vector([
    [...text("nn"), ...text("m"), 2, shared ? 3 : 1, ...unsigned(0), ...unsigned(MAX_PAGES)],
    [...text("nn"), ...text("wait"), 0, ...typeOf([{ type: I32 }])],
  ]);
  const declared = vector(functions.map((f) => typeOf(f.params)));
  const exports = vector(Object.entries(exported).map(([name, i]) => [...text(name), 0, ...unsigned(i)]));
  const code = vector(functions.map((f) => sized([...vector(f.locals.map((t) => [1, t])), ...f.code, 0x0b])));
  const names = vector(functions.map((f, i) => [...unsigned(i + 1), ...text(f.name)]));
  const custom = [...text("name"), 1, ...sized(names)];
  const bytes: number[] = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  const section = (id: number, content: Bytes) => {
    bytes.push(id);
    for (const b of sized(content)) bytes.push(b);
  };
  section(1, vector(types));
  section(2, imports);
  section(3, declared);
  section(7, exports);
  section(10, code);
  section(0, custom);
  return Uint8Array.from(bytes);
}
