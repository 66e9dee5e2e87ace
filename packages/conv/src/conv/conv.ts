// conv as a function, and the layers Conv1d, Conv2d, Conv3d.

import { apply1, fail, Module, type Padding, pad, rand, show, type Tensor, Variable } from "@nn/tensor";
import { paddingPairs, perAxis, type Size } from "../sizes.js";
import { convOp } from "./op.js";

export interface ConvOptions {
  /** Default 1. */
  readonly stride?: Size;
  /** Zeros around the input: numbers (default 0), "same" (stride 1 keeps the size) or "valid" (none). */
  readonly padding?: Size | "same" | "valid";
  /** Distance of the kernel's elements (default 1). */
  readonly dilation?: Size;
  /** Channels are cut into so many independent groups (default 1). */
  readonly groups?: number;
}

/**
 * Convolution (cross-correlation, as in all neural-network libraries) over 1 to 3 spatial axes
 * ([torch.nn.functional.conv2d](https://pytorch.org/docs/stable/generated/torch.nn.functional.conv2d.html)).
 *
 * @param x (N, C, S…) or (C, S…)
 * @param weight (O, C/groups, K…)
 * @param bias (O), or null
 * @returns (N, O, S′…) or (O, S′…), S′ = ⌊(S + padding − dilation·(K − 1) − 1) / stride⌋ + 1
 * @throws if shapes do not fit
 * @example
 * ```ts
 * conv(randn([8, 3, 32, 32]), randn([16, 3, 3, 3]), null, { padding: "same" }).shape; // [8, 16, 32, 32]
 * ```
 */
export function conv(x: Tensor, weight: Tensor, bias: Tensor | null = null, { stride = 1, padding = 0, dilation = 1, groups = 1 }: ConvOptions = {}): Tensor {
  const axes = weight.rank - 2;
  if (axes < 1 || axes > 3) fail({ op: "conv", expected: "weight (O, C/groups, K…) with 1 to 3 spatial axes", got: show(weight.shape) });
  const kernel = weight.shape.slice(2);
  const steps = perAxis("conv", "stride", stride, axes);
  const apart = perAxis("conv", "dilation", dilation, axes);
  return run(x, weight, bias, { stride: steps, padding: paddingPairs("conv", padding, kernel, steps, apart), dilation: apart, groups });
}

function run(x: Tensor, weight: Tensor, bias: Tensor | null, attrs: { stride: number[]; padding: Padding[]; dilation: number[]; groups: number }): Tensor {
  const single = x.rank === weight.rank - 1;
  const y = apply1(convOp, [single ? x.unsqueeze(0) : x, weight], attrs);
  const channels = weight.shape[0]!;
  if (bias && show(bias.shape) !== show([channels])) fail({ op: "conv", expected: `bias (${channels})`, got: show(bias.shape) });
  const out = bias ? y.add(bias.reshape([channels, ...attrs.stride.map(() => 1)])) : y;
  return single ? out.squeeze(0) : out;
}

export interface ConvLayerOptions extends ConvOptions {
  /** Whether to add a bias (default true). */
  readonly bias?: boolean;
  /** What stands around the input (default "zeros"). */
  readonly paddingMode?: "zeros" | "reflect" | "replicate" | "circular";
}

/** What Conv1d, 2d and 3d share. */
abstract class Conv extends Module {
  readonly weight: Variable;
  readonly bias: Variable | null;
  readonly kernelSize: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly Padding[];
  readonly dilation: readonly number[];
  readonly groups: number;
  readonly paddingMode: NonNullable<ConvLayerOptions["paddingMode"]>;

  protected constructor(
    axes: number, readonly inChannels: number, readonly outChannels: number, kernelSize: Size,
    { stride = 1, padding = 0, dilation = 1, groups = 1, bias = true, paddingMode = "zeros" }: ConvLayerOptions,
  ) {
    super();
    const op = this.constructor.name;
    perAxis(op, "inChannels", inChannels, 1);
    perAxis(op, "outChannels", outChannels, 1);
    perAxis(op, "groups", groups, 1);
    if (inChannels % groups !== 0 || outChannels % groups !== 0) {
      fail({ op, expected: `groups that divide inChannels ${inChannels} and outChannels ${outChannels}`, got: `${groups}` });
    }
    if (!["zeros", "reflect", "replicate", "circular"].includes(paddingMode)) {
      fail({ op, expected: 'paddingMode "zeros", "reflect", "replicate" or "circular"', got: `"${paddingMode}"` });
    }
    this.kernelSize = perAxis(op, "kernelSize", kernelSize, axes);
    this.stride = perAxis(op, "stride", stride, axes);
    this.dilation = perAxis(op, "dilation", dilation, axes);
    this.padding = paddingPairs(op, padding, this.kernelSize, this.stride, this.dilation);
    this.groups = groups;
    this.paddingMode = paddingMode;
    const shape = [outChannels, inChannels / groups, ...this.kernelSize];
    const bound = 1 / Math.sqrt(shape.slice(1).reduce((a, b) => a * b, 1));
    const uniform = (of: readonly number[]) => new Variable(rand(of).mul(2 * bound).sub(bound));
    this.weight = uniform(shape);
    this.bias = bias ? uniform([outChannels]) : null;
  }

  /** @throws if x is not (N, inChannels, S…) or (inChannels, S…) */
  override forward(x: Tensor): Tensor {
    const zeros = this.paddingMode === "zeros";
    const padded = zeros ? x : pad(x, this.padding, { mode: this.paddingMode as "reflect" });
    return run(padded, this.weight.value, this.bias?.value ?? null, {
      stride: [...this.stride],
      padding: zeros ? [...this.padding] : this.padding.map(() => [0, 0] as const),
      dilation: [...this.dilation],
      groups: this.groups,
    });
  }
}

/** Convolution over (N, C, L): [torch.nn.Conv1d](https://pytorch.org/docs/stable/generated/torch.nn.Conv1d.html). Otherwise as {@link Conv2d}. */
export class Conv1d extends Conv {
  constructor(inChannels: number, outChannels: number, kernelSize: Size, options: ConvLayerOptions = {}) {
    super(1, inChannels, outChannels, kernelSize, options);
  }
}

/**
 * Convolution over images, as [torch.nn.Conv2d](https://pytorch.org/docs/stable/generated/torch.nn.Conv2d.html).
 *
 * x (N, C, H, W) or (C, H, W) → (N, O, H′, W′). State: `weight` (O, C/groups, kH, kW), `bias` (O), uniform on ±1/√(C/groups·kH·kW) at first.
 *
 * @example
 * ```ts
 * new Conv2d(3, 16, 3, { padding: "same" }).forward(randn([8, 3, 32, 32])).shape; // [8, 16, 32, 32]
 * ```
 */
export class Conv2d extends Conv {
  constructor(inChannels: number, outChannels: number, kernelSize: Size, options: ConvLayerOptions = {}) {
    super(2, inChannels, outChannels, kernelSize, options);
  }
}

/** Convolution over (N, C, D, H, W): [torch.nn.Conv3d](https://pytorch.org/docs/stable/generated/torch.nn.Conv3d.html). Otherwise as {@link Conv2d}. */
export class Conv3d extends Conv {
  constructor(inChannels: number, outChannels: number, kernelSize: Size, options: ConvLayerOptions = {}) {
    super(3, inChannels, outChannels, kernelSize, options);
  }
}
