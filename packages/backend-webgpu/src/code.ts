// What a kernel of this backend returns: WGSL without its bindings, and what is to be bound. Pure text, so that it can
// be looked at and tested without a device.

import type { DType, Kernel } from "@nn/tensor";

/** A kernel for this backend. */
export type WgslKernel<A = never> = Kernel<A, WgslCode>;

export interface WgslCode {
  /** The op, as errors and labels name it. */
  readonly name: string;
  /** Dispatches, one after the other. None: there is nothing to do. */
  readonly passes: readonly WgslPass[];
  /** Bytes of the array `scratch`, which the passes of one run share. */
  readonly scratch?: number;
}

export interface WgslPass {
  /** Functions and `main`; inputs, outputs and scratch memory are arrays by the names of `bindings`. */
  readonly text: string;
  /** The same with subgroup operations, for devices that have them: it names the builtins that {@link main} declares. */
  readonly withSubgroups?: string;
  /** The same with f16, for devices that have it and users who ask for it. */
  readonly withF16?: string;
  readonly bindings: readonly Binding[];
  /** How many workgroups; `main` finds its own by {@link groupIndex}. */
  readonly groups: number;
  /** Inputs that `out0` may lie over, element by element: such a text is compiled beforehand, too. */
  readonly inPlace?: readonly string[];
}

export interface Binding {
  /** `in0`, `in1`, …, `out0`, …, or `scratch`. */
  readonly name: string;
  readonly type: WgslType;
  readonly writes: boolean;
  /**
   * Whether a large temporary value that is bound here is to be stored as f16, where users ask for f16: `true`, if no other binding of it
   * forbids that (`false`); the name of another binding: if what is bound there is. Omitted: the others decide.
   */
  readonly half?: Half | undefined;
}

export type Half = boolean | string;

/** `vec4f`: four floats at a time, where they begin at multiples of four. */
export type WgslType = "f32" | "i32" | "u32" | "vec4f";

/** How elements of a dtype are held, in memory and out of it; a bool is 0 or 1. */
export const typeOf = (dtype: DType): WgslType => (dtype === "bool" ? "u32" : dtype);

export const reads = (name: string, dtype: DType, half?: Half): Binding => ({
  ...{ name, type: typeOf(dtype), writes: false, half },
});
/** Floats by fours. */
export const readsFours = (name: string): Binding => ({ name, type: "vec4f", writes: false });
export const writes = (name: string, dtype: DType, half?: Half): Binding => ({
  ...{ name, type: typeOf(dtype), writes: true, half },
});

/** Threads of a workgroup, unless a kernel has reasons for another number. */
export const LANES = 64;

/** Workgroups along one axis of a dispatch: a default limit of WebGPU. */
const MOST = 65535;

/** A number of workgroups as a grid. */
export function grid(groups: number): [x: number, y: number] {
  return groups <= MOST ? [groups, 1] : [MOST, Math.ceil(groups / MOST)];
}

/** The number of a workgroup in a dispatch of `groups`; the last row of a grid may have more than there are. */
export const groupIndex = (groups: number): string => (groups <= MOST ? "group.x" : `(group.y * ${MOST}u + group.x)`);

/** `main` with a thread for each of `count` elements, number `i`. */
export function eachElement(count: number, body: readonly string[], before: readonly string[] = []): WgslPass["text"] {
  return main(
    LANES,
    [`let i = ${groupIndex(groupsOf(count))} * ${LANES}u + lane;`, `if (i >= ${count}u) { return; }`, ...body],
    before,
  );
}

export const groupsOf = (count: number): number => Math.ceil(count / LANES);

/**
 * The entry point: `group` is the workgroup, `lane` the thread in it. `nothing` is 0, which compilers do not know: some
 * think that x · −0 is −0. Where the body names them, `subgroup` is the number of the thread's subgroup, `subgroup_lane` the thread
 * in it and `subgroup_size` its number of threads.
 */
export function main(lanes: number, body: readonly string[], before: readonly string[] = []): string {
  const nothing = [...before, ...body].some((line) => /\bnothing\b/.test(line));
  const subgroups = body.some((line) => /\bsubgroup/.test(line));
  return [
    ...(nothing ? ["var<private> nothing: u32;"] : []),
    ...before,
    `@compute @workgroup_size(${lanes})`,
    ...indented([
      "fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32" +
        `${subgroups ? `, ${SUBGROUP}` : ""}) {`,
      ...(nothing ? ["nothing = group.z;"] : []),
      ...body,
      "}",
    ]),
    "",
  ].join("\n");
}

const SUBGROUP =
  "@builtin(subgroup_id) subgroup: u32, @builtin(subgroup_invocation_id) subgroup_lane: u32, @builtin(subgroup_size) subgroup_size: u32";

/** Lines moved in by the braces around them. */
export function indented(lines: readonly string[]): string[] {
  let depth = 0;
  return lines.map((line) => {
    if (line.startsWith("}")) depth--;
    const text = "  ".repeat(depth) + line;
    if (line.endsWith("{")) depth++;
    return text;
  });
}

/**
 * The whole module, with its bindings in order.
 *
 * @param same inputs that lie in the buffer of an output: one buffer cannot be bound for reading and for writing, so
 * these are read through the output's binding
 * @param half arrays that hold f16 instead of f32
 */
export function moduleText(
  { text, bindings }: WgslPass,
  same: ReadonlyMap<string, string> = new Map(),
  half: ReadonlySet<string> = new Set(),
): string {
  const held = new Map(bindings.map(({ name, type }) => [name, half.has(name) ? HALVES[type]! : type]));
  const declared = bindings
    .filter(({ name }) => !same.has(name))
    .map(
      ({ name, writes }, i) =>
        `@group(0) @binding(${i}) var<storage, ${writes ? "read_write" : "read"}> ${name}: array<${held.get(name)}>;`,
    );
  for (const { name, type } of bindings) if (half.has(name)) text = converted(text, name, type, held.get(name)!);
  const body = text.replace(/\b(in|out)\d+\b/g, (name) => same.get(name) ?? name);
  const features = [
    ...(text.includes(SUBGROUP) ? ["enable subgroups;"] : []),
    ...(half.size > 0 || /\bvec4h\b/.test(text) ? ["enable f16;"] : []),
  ];
  return [...features, ...declared, "", body].join("\n");
}

const HALVES: { readonly [type in WgslType]?: string } = { f32: "f16", vec4f: "vec4h" };

/** The text with an array that holds other numbers: what it reads there is converted, and what it stores (`name[…] = …;`). */
function converted(text: string, name: string, type: string, held: string): string {
  // From the last to the first, so that what stands in an index or is stored is done before.
  for (const { index } of [...text.matchAll(new RegExp(`\\b${name}\\[`, "g"))].reverse()) {
    let end = index + name.length + 1;
    for (let open = 1; open > 0; end++) open += text[end] === "[" ? 1 : text[end] === "]" ? -1 : 0;
    const [place, rest] = [text.slice(index, end), text.slice(end)];
    const stored = /^ = ([^;]*)/.exec(rest);
    text =
      text.slice(0, index) +
      (stored ? `${place} = ${held}(${stored[1]})${rest.slice(stored[0].length)}` : `${type}(${place})${rest}`);
  }
  return text;
}
