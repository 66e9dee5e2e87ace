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
  /** Arrays of f32 or vec4f in workgroup memory that may hold f16, where users ask for it. */
  readonly tiles?: readonly string[];
  /** What becomes of the whole module. */
  readonly change?: (module: string) => string;
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
   * Whether a large temporary value that is bound here is to be stored as f16, where users ask for f16: `true` asks for it, `false`
   * forbids it, as all digits are needed. Omitted: the others decide.
   */
  readonly half?: boolean | undefined;
}

/** `vec4f`: four floats at a time, where they begin at multiples of four. */
export type WgslType = "f32" | "i32" | "u32" | "vec4f";

/** How elements of a dtype are held, in memory and out of it; a bool is 0 or 1. */
export const typeOf = (dtype: DType): WgslType => (dtype === "bool" ? "u32" : dtype);

export const reads = (name: string, dtype: DType, half?: boolean): Binding => {
  return { name, type: typeOf(dtype), writes: false, half };
};
/** Floats by fours. */
export const readsFours = (name: string): Binding => ({ name, type: "vec4f", writes: false });
export const writes = (name: string, dtype: DType, half?: boolean): Binding => {
  return { name, type: typeOf(dtype), writes: true, half };
};

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
 */
export function moduleText(
  { text, bindings, change = (module) => module }: WgslPass,
  same: ReadonlyMap<string, string> = new Map(),
): string {
  const declared = bindings
    .filter(({ name }) => !same.has(name))
    .map(
      ({ name, type, writes }, i) =>
        `@group(0) @binding(${i}) var<storage, ${writes ? "read_write" : "read"}> ${name}: array<${type}>;`,
    );
  const body = text.replace(/\b(in|out)\d+\b/g, (name) => same.get(name) ?? name);
  const features = text.includes(SUBGROUP) ? ["enable subgroups;"] : [];
  return change([...features, ...declared, "", body].join("\n"));
}
