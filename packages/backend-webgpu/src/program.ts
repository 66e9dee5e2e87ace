// A plan, ready to run: pipelines and bind groups are made once, a run is one encoder, one pass and one submission.

import { type Buffer, insideModules, type Modules, modulePath, type Plan, type Ref, type Slot } from "@nn/tensor";
import { grid, moduleText, type WgslCode, type WgslPass } from "./code.js";
import type { Health } from "./health.js";
import type { Pipeline, Pipelines } from "./pipelines.js";
import { assignSlots } from "./slots.js";

/** A buffer of this backend. */
export interface Block extends Buffer {
  readonly gpu: GPUBuffer;
  /** Tells buffers apart. */
  readonly id: number;
  /** The device had no memory for it. */
  broken: boolean;
}

export interface Program {
  ready(): Promise<void>;
  run(inputs: readonly Block[], results: readonly Block[]): void;
  /** Bytes of its temporary buffers. */
  readonly bytes: number;
  dispose(): void;
}

export interface ProgramTools {
  readonly device: GPUDevice;
  readonly health: Health;
  readonly pipelines: Pipelines;
  /** Whether shaders may use subgroups. */
  readonly subgroups: boolean;
  /** @param what it is for, as errors name it */
  alloc(bytes: number, what: string): Block;
  free(block: Block): void;
}

/** Sets of buffers that a dispatch remembers its bind groups for. */
const REMEMBERED = 16;

export function makeProgram({ steps, slots }: Plan<WgslCode>, tools: ProgramTools): Program {
  const { device, health } = tools;
  // What the passes of a step share is a slot that lives as long as the step.
  const all: Slot[] = [...slots];
  const lastRead = new Map<number, number>();
  steps.forEach(({ ins }, step) => {
    for (const ref of ins) if ("input" in ref) lastRead.set(ref.input, step);
  });
  const dispatches = steps.flatMap(({ code, ins, outs, modules }, step) => {
    const scratch = code.scratch ? { slot: all.push({ bytes: code.scratch, from: step, to: step }) - 1 } : undefined;
    const refOf = (name: string): Ref => {
      if (name === "scratch") return scratch!;
      return (name.startsWith("in") ? ins : outs)[Number(name.replace(/\D+/, ""))]!;
    };
    return code.passes
      .filter(({ groups }) => groups > 0)
      .map(
        (pass) =>
          new Dispatch(
            pass,
            pass.bindings.map(({ name }) => refOf(name)),
            code.name,
            modules,
            tools,
            // A result may lie over an input that nothing reads any more (a Variable's old value).
            "result" in (outs[0] ?? {})
              ? (pass.inPlace ?? []).filter((name) => {
                  const ref = refOf(name);
                  return "input" in ref && lastRead.get(ref.input) === step;
                })
              : [],
          ),
      );
  });
  const { of, bytes } = assignSlots(all);
  const blocks = bytes.map((n, k) => {
    const largest = all.findIndex((slot, i) => of[i] === k && slot.bytes === n);
    const { code, modules } = steps[all[largest]!.from]!;
    return insideModules(modules, () => tools.alloc(n, `a temporary value of ${code.name}`));
  });
  const temporary = of.map((k) => blocks[k]!);
  let gone = false;

  return {
    bytes: bytes.reduce((sum, n) => sum + n, 0),
    async ready() {
      await Promise.all(dispatches.map((d) => d.ready()));
    },
    run(inputs, results) {
      if (dispatches.length === 0) return;
      const label = dispatches.length === 1 ? dispatches[0]!.name : "step";
      health.check(label);
      const at = (ref: Ref): Block =>
        "input" in ref ? inputs[ref.input]! : "slot" in ref ? temporary[ref.slot]! : results[ref.result]!;
      const encoder = device.createCommandEncoder({ label });
      const pass = encoder.beginComputePass({ label });
      let last: GPUComputePipeline | undefined;
      for (const d of dispatches) {
        const { pipeline, group } = d.bind(at);
        if (pipeline !== last) pass.setPipeline(pipeline);
        last = pipeline;
        pass.setBindGroup(0, group);
        pass.dispatchWorkgroups(d.x, d.y);
      }
      pass.end();
      device.queue.submit([encoder.finish()]);
    },
    dispose() {
      if (gone) return;
      gone = true;
      for (const d of dispatches) d.dispose();
      for (const block of blocks) tools.free(block);
    },
  };
}

interface Bound {
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
}

/** One dispatch, and the bind groups for the buffers it has seen. */
class Dispatch {
  readonly pipeline: Pipeline;
  readonly x: number;
  readonly y: number;
  /** With which inputs read through outputs. */
  readonly #variants = new Map<string, Pipeline>();
  readonly #known = new Map<string, Bound>();
  readonly #isFixed: boolean;
  #fixed: Bound | undefined;
  /** What browsers call its bind groups where they refuse one. */
  #label: string | undefined;

  constructor(
    readonly pass: WgslPass,
    readonly refs: readonly Ref[],
    readonly name: string,
    /** In whose name its errors are. */
    readonly modules: Modules | undefined,
    readonly tools: ProgramTools,
    /** Inputs that the output may turn out to lie over. */
    readonly inPlace: readonly string[],
  ) {
    [this.x, this.y] = grid(pass.groups);
    this.pipeline = this.#take();
    this.#isFixed = refs.every((ref) => "slot" in ref);
  }

  /** Compiles in the background all that a run may need. */
  async ready(): Promise<void> {
    const over = this.inPlace.map((name) => this.#variant(new Map([[name, "out0"]])));
    await Promise.all(insideModules(this.modules, () => [this.pipeline, ...over].map((p) => p.ready())));
  }

  bind(at: (ref: Ref) => Block): Bound {
    if (this.#fixed) return this.#fixed;
    const blocks = this.refs.map(at);
    if (this.#isFixed) return (this.#fixed = this.#make(blocks));
    const key = blocks.map(({ id }) => id).join();
    let bound = this.#known.get(key);
    if (!bound) {
      bound = this.#make(blocks);
      this.#known.set(key, bound);
      if (this.#known.size > REMEMBERED) this.#known.delete(this.#known.keys().next().value!);
    }
    return bound;
  }

  dispose(): void {
    for (const pipeline of [this.pipeline, ...this.#variants.values()]) pipeline.release();
    this.#known.clear();
    this.#fixed = undefined;
  }

  #take(same?: ReadonlyMap<string, string>): Pipeline {
    const { bindings, withSubgroups, text } = this.pass;
    const access = bindings.flatMap(({ name, writes }) => (same?.has(name) ? [] : [writes ? "w" : "r"]));
    const pass = { ...this.pass, text: (this.tools.subgroups && withSubgroups) || text };
    return this.tools.pipelines.take(moduleText(pass, same), access.join(""), this.name);
  }

  #variant(same: ReadonlyMap<string, string>): Pipeline {
    if (same.size === 0) return this.pipeline;
    const key = [...same].join();
    const pipeline = this.#variants.get(key) ?? this.#take(same);
    this.#variants.set(key, pipeline);
    return pipeline;
  }

  #make(blocks: readonly Block[]): Bound {
    // An output that replaces an input: that is read through the output's binding.
    const { bindings } = this.pass;
    const same = new Map<string, string>();
    bindings.forEach(({ name, writes }, i) => {
      const to = writes ? -1 : bindings.findIndex((b, k) => b.writes && blocks[k] === blocks[i]);
      if (to >= 0) same.set(name, bindings[to]!.name);
    });
    const pipeline = this.#variant(same);
    this.#label ??= [insideModules(this.modules, modulePath) ?? [], this.name].flat().join(": ");
    const group = this.tools.device.createBindGroup({
      label: this.#label,
      layout: pipeline.layout,
      entries: blocks
        .filter((_, i) => !same.has(bindings[i]!.name))
        .map(({ gpu }, binding) => ({ binding, resource: { buffer: gpu } })),
    });
    return { pipeline: insideModules(this.modules, () => pipeline.get()), group };
  }
}
