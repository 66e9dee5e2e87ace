// Compiled shaders, one for each text, however many steps use it.

import type { Health } from "./health.js";

/** A pipeline that may still have to be made. */
export interface Pipeline {
  /** Makes it in the background; rejects if it cannot be made. */
  ready(): Promise<void>;
  /** The pipeline, made now if it must be. */
  get(): GPUComputePipeline;
  /** Of the bindings. */
  readonly layout: GPUBindGroupLayout;
  /** To be called once by each that took it. */
  release(): void;
}

/** How far the background compilation is. */
export interface CompileProgress {
  /** The kernel that was just compiled, as errors name it. */
  readonly name: string;
  /** Compiled of those asked for and not yet reported as a whole. */
  readonly done: number;
  readonly total: number;
}

export interface Pipelines {
  /** @param access of each binding, `r` or `w` */
  take(text: string, access: string, label: string): Pipeline;
}

export function makePipelines(
  device: GPUDevice,
  health: Health,
  onCompile: (progress: CompileProgress) => void = () => undefined,
): Pipelines {
  let [done, total] = [0, 0];
  /** Counts a compilation in the background. */
  const counted = <T>(name: string, work: Promise<T>): Promise<T> => {
    total++;
    const count = () => {
      onCompile({ name, done: ++done, total });
      if (done === total) done = total = 0;
    };
    work.then(count, count);
    return work;
  };
  const layouts = new Map<string, { group: GPUBindGroupLayout; pipeline: GPUPipelineLayout }>();
  const layoutOf = (access: string) => {
    let known = layouts.get(access);
    if (!known) {
      const group = device.createBindGroupLayout({
        entries: [...access].map((a, binding) => ({
          binding,
          visibility: 4, // compute
          buffer: { type: a === "w" ? ("storage" as const) : ("read-only-storage" as const) },
        })),
      });
      known = { group, pipeline: device.createPipelineLayout({ bindGroupLayouts: [group] }) };
      layouts.set(access, known);
    }
    return known;
  };

  const known = new Map<string, Pipeline & { users: number }>();
  return {
    take(text, access, label) {
      const found = known.get(text);
      if (found) {
        found.users++;
        return found;
      }
      const { group, pipeline: layout } = layoutOf(access);
      let made: GPUComputePipeline | undefined;
      let waiting: Promise<void> | undefined;
      const expected = "a kernel that this device compiles";
      const description = () => ({
        label,
        layout,
        compute: { module: device.createShaderModule({ label, code: text }), entryPoint: "main" },
      });
      const pipeline = {
        users: 1,
        layout: group,
        ready() {
          waiting ??= made
            ? Promise.resolve()
            : counted(
                label,
                health.guard(label, expected, () => device.createComputePipelineAsync(description())),
              ).then(
                (p) => {
                  made ??= p;
                },
                async () => {
                  await health.lostOrLater();
                  await health.settled();
                  health.check(label);
                  throw new Error(`${label}: the device compiles no kernel`);
                },
              );
          return waiting;
        },
        get() {
          made ??= health.guard(
            label,
            expected,
            () => device.createComputePipeline(description()),
            () => {
              made = undefined;
            },
          );
          return made;
        },
        release() {
          if (--pipeline.users === 0) known.delete(text);
        },
      };
      known.set(text, pipeline);
      return pipeline;
    },
  };
}
