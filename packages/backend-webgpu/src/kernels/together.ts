// What the threads of a workgroup have, put together: by subgroups where the device has them, else in memory.

/** Two values as one, in WGSL. */
export type Combine = (a: string, b: string) => string;

/**
 * Lines that leave in every thread's `name`, a `var`, what all threads had there, put together. Between two uses of `memory` a
 * barrier is needed.
 *
 * @param how.lanes threads of the workgroup
 * @param how.memory an array in workgroup memory of so many
 * @param how.subgroups whether there are any: the text is then one for `withSubgroups`
 */
export function together(
  name: string,
  both: Combine,
  { lanes, memory, subgroups }: { readonly lanes: number; readonly memory: string; readonly subgroups: boolean },
): string[] {
  if (!subgroups) {
    return [
      `${memory}[lane] = ${name};`,
      "workgroupBarrier();",
      `for (var half = ${lanes / 2}u; half > 0u; half /= 2u) {`,
      `if (lane < half) { ${memory}[lane] = ${both(`${memory}[lane]`, `${memory}[lane + half]`)}; }`,
      "workgroupBarrier();",
      "}",
      `${name} = ${memory}[0];`,
    ];
  }
  // By exchanges, as subgroupMax may lose a NaN; then every thread over the subgroups, with one barrier in all.
  return [
    `for (var half = min(subgroup_size, ${lanes}u) / 2u; half > 0u; half /= 2u) {`,
    `${name} = ${both(name, `subgroupShuffleXor(${name}, half)`)};`,
    "}",
    `if (subgroup_lane == 0u) { ${memory}[subgroup] = ${name}; }`,
    "workgroupBarrier();",
    `${name} = ${memory}[0];`,
    `for (var k = 1u; k < ${lanes}u / subgroup_size; k++) { ${name} = ${both(name, `${memory}[k]`)}; }`,
  ];
}
