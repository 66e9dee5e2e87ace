// The backend: buffers on the device, kernels as WGSL, plans as single submissions.

import {
  type Backend,
  type Buffer,
  countPlan,
  type Executable,
  fail,
  type Plan,
  type Spec,
  show,
  type Tensor,
} from "@nn/tensor";
import type { WgslCode, WgslKernel } from "./code.js";
import { type DeviceOptions, hasSubgroups, openDevice } from "./device.js";
import { watch } from "./health.js";
import { webgpuKernels } from "./kernels/index.js";
import { type CompileProgress, makePipelines } from "./pipelines.js";
import { type Block, makeProgram } from "./program.js";

export interface WebgpuOptions extends DeviceOptions {
  /** Kernels of other packages, tried before its own. */
  readonly kernels?: readonly WgslKernel[];
  /**
   * Is told of each kernel that `step.ready(…)` has compiled in the background, for a progress bar:
   * `({ done, total }) => { bar.value = done / total; }`.
   */
  readonly onCompile?: (progress: CompileProgress) => void;
}

export interface WebgpuBackend extends Backend<WgslCode> {
  readonly device: GPUDevice;
  /** The adapter it runs on, as far as the browser says. */
  readonly adapterInfo: GPUAdapterInfo | undefined;
  /** Whether the device is known to be lost: then every call throws. */
  readonly isLost: boolean;
  /** Destroys the device, unless it was given, and all that lies on it. */
  dispose(): void;
}

/** Bytes of freed buffers that are kept for the next request of the same size. */
const KEPT_BYTES = 268_435_456;

/** Values of GPUBufferUsage, which Node has no global for. */
const [MAP_READ, COPY_SRC, COPY_DST, STORAGE] = [1, 4, 8, 128];

/**
 * Makes the WebGPU backend: in browsers and Deno on `navigator.gpu`, in Node on the npm package `webgpu`.
 *
 * @throws {@link NNError} where there is no WebGPU, no adapter or no device
 * @example
 * ```ts
 * setBackend(await webgpu());
 * ```
 */
export async function webgpu(options: WebgpuOptions = {}): Promise<WebgpuBackend> {
  const device = await openDevice(options);
  const health = watch(device);
  const pipelines = makePipelines(device, health, options.onCompile);
  const subgroups = options.subgroups !== false && (await hasSubgroups(device));
  const { limits, queue } = device;
  const most = Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize);
  let ids = 0;

  const create = (op: string, bytes: number, usage: number, what: string): Block => {
    const gpu = health.guard(
      op,
      what,
      () => device.createBuffer({ size: bytes, usage }),
      () => {
        block.broken = true;
      },
    );
    const block: Block = { bytes, gpu, id: ids++, broken: false };
    return block;
  };
  const storage = makePool((bytes, what) => {
    if (bytes > most) {
      fail({
        op: "webgpu",
        expected: `buffers of up to ${most} bytes, as this device can have`,
        got: `${bytes} bytes${what ? ` for ${text(what)}` : ""}`,
        hint: "Use smaller batches.",
      });
    }
    return create("webgpu", bytes, STORAGE | COPY_SRC | COPY_DST, what ? text(what) : `${bytes} bytes`);
  });
  /** Buffers that the host reads from, of powers of two. */
  const staging = makePool((bytes) => create("read", bytes, MAP_READ | COPY_DST, `${bytes} bytes`));

  const read = async (buffer: Buffer): Promise<Uint8Array> => {
    health.check("read");
    const { bytes, gpu } = buffer as Block;
    const stage = staging.take(2 ** Math.ceil(Math.log2(bytes)));
    const encoder = device.createCommandEncoder({ label: "read" });
    encoder.copyBufferToBuffer(gpu, 0, stage.gpu, 0, bytes);
    queue.submit([encoder.finish()]);
    try {
      await stage.gpu.mapAsync(1, 0, bytes); // for reading
    } catch (e) {
      stage.gpu.destroy();
      await health.lostOrLater();
      await health.settled();
      health.check("read");
      return fail({ op: "read", expected: "a buffer that can be read", got: String(e) });
    }
    const copy = new Uint8Array(stage.gpu.getMappedRange(0, bytes).slice(0));
    stage.gpu.unmap();
    staging.give(stage);
    await health.settled();
    health.check("read");
    return copy;
  };

  const load = (plan: Plan<WgslCode>): Executable => {
    const program = makeProgram(options.f16?.(plan) ?? plan, {
      device,
      health,
      pipelines,
      subgroups,
      alloc: storage.take,
      free: storage.give,
    });
    countPlan(program.bytes);
    let gone = false;
    return {
      get ready() {
        return program.ready();
      },
      run: (inputs, results) => program.run(inputs as readonly Block[], results as readonly Block[]),
      dispose() {
        if (gone) return;
        gone = true;
        countPlan(-program.bytes);
        program.dispose();
      },
    };
  };

  return {
    name: "webgpu",
    kernels: [...(options.kernels ?? []), ...webgpuKernels],
    alloc(bytes, what) {
      health.check("webgpu");
      return storage.take(bytes, what);
    },
    free: (buffer) => storage.give(buffer as Block),
    write(buffer, data, offset = 0) {
      health.check("write");
      queue.writeBuffer((buffer as Block).gpu, offset, data as Uint8Array<ArrayBuffer>);
    },
    read,
    load,
    device,
    adapterInfo: device.adapterInfo,
    get isLost() {
      return health.isLost;
    },
    dispose() {
      health.end();
      if (!options.device) device.destroy();
    },
  };
}

/**
 * The buffer that a tensor lies in, for your own work on the device: its elements from `offset` on (in elements) with
 * these strides. It stays the tensor's.
 *
 * @throws {@link NNError} if the tensor is on another backend
 */
export function gpuBufferOf(tensor: Tensor): { buffer: GPUBuffer; offset: number; strides: readonly number[] } {
  const { buffer, backend } = tensor.storage;
  if (!("gpu" in buffer)) {
    return fail({
      op: "gpuBufferOf",
      expected: 'a tensor on "webgpu"',
      got: `${show(tensor.shape)} on "${backend.name}"`,
    });
  }
  const { offset, strides } = tensor.view;
  return { buffer: (buffer as Block).gpu, offset, strides };
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

/** Buffers, and those given back by their size. */
function makePool(make: (bytes: number, what?: Spec | string) => Block) {
  const kept = new Map<number, Block[]>();
  let keptBytes = 0;
  return {
    take(bytes: number, what?: Spec | string): Block {
      for (let block = kept.get(bytes)?.pop(); block; block = kept.get(bytes)?.pop()) {
        keptBytes -= bytes;
        if (!block.broken) return block;
      }
      return make(bytes, what);
    },
    give(block: Block): void {
      if (block.broken || keptBytes + block.bytes > KEPT_BYTES) {
        block.gpu.destroy(); // what was submitted still runs
        return;
      }
      keptBytes += block.bytes;
      const list = kept.get(block.bytes);
      if (list) list.push(block);
      else kept.set(block.bytes, [block]);
    },
  };
}

const text = (what: Spec | string): string =>
  typeof what === "string" ? what : `a tensor ${show(what.shape)} ${what.dtype}`;
