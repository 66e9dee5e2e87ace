// GroupNorm: normalises groups of channels within each sample.

import {
  expand,
  fail,
  Module,
  ones,
  reshape,
  scope,
  show,
  sizeOf,
  type Tensor,
  type Variable,
  zeros,
} from "@nn/tensor";
import { checkCount, checkNumber } from "../check.js";
import { parameter } from "../parameter.js";
import { normalizeRows } from "./batch-norm-op.js";

/** Options of {@link GroupNorm}. */
export interface GroupNormOptions {
  /** Added to the variance (default 1e-5). */
  readonly eps?: number;
  /** Whether to learn a scale and a shift per channel (default true). */
  readonly affine?: boolean;
}

/**
 * Normalises each group of consecutive channels of a sample over its channels and positions (Wu and He, 2018;
 * [torch.nn.GroupNorm](https://pytorch.org/docs/stable/generated/torch.nn.GroupNorm.html)); the same in training and
 * evaluation.
 *
 * x (N, numChannels, …) → the same. State: `weight`, `bias` (numChannels), 1 and 0 at first.
 *
 * @example
 * ```ts
 * new GroupNorm(4, 16).forward(randn([8, 16, 7, 7]));
 * ```
 */
export class GroupNorm extends Module {
  readonly weight: Variable | null;
  readonly bias: Variable | null;
  readonly eps: number;

  /**
   * @param numGroups how many groups; 1 normalises whole samples, numChannels every channel by itself
   * @throws if numGroups does not divide numChannels, either is not a whole number ≥ 1, or eps < 0
   */
  constructor(
    readonly numGroups: number,
    readonly numChannels: number,
    { eps = 1e-5, affine = true }: GroupNormOptions = {},
  ) {
    super();
    const shape = [checkCount("GroupNorm", "numChannels", numChannels)];
    checkGroups("GroupNorm", numGroups, numChannels);
    this.eps = checkNumber("GroupNorm", "eps", eps, 0);
    this.weight = affine ? parameter(() => ones(shape)) : null;
    this.bias = affine ? parameter(() => zeros(shape)) : null;
  }

  /** @throws if x has another number of channels */
  override forward(x: Tensor): Tensor {
    const { numGroups, numChannels, eps } = this;
    if (x.rank < 2 || x.shape[1] !== numChannels) {
      fail({
        op: "groupNorm",
        expected: `x (N, ${numChannels}, …)`,
        got: show(x.shape),
        hint: "Axis 1 has the channels.",
      });
    }
    return scope(() => groupNorm(x, numGroups, this.weight?.value, this.bias?.value, { eps }));
  }
}

/**
 * {@link GroupNorm} as a function, as
 * [torch.nn.functional.group_norm](https://pytorch.org/docs/stable/generated/torch.nn.functional.group_norm.html).
 *
 * @param x (N, C, …) f32
 * @param weight scale per channel (C)
 * @param bias shift per channel (C)
 * @throws if numGroups does not divide C
 * @example
 * ```ts
 * groupNorm(tensor([[1, 3, 5, 9]]), 2); // [[-1, 1, -1, 1]]
 * ```
 */
export function groupNorm(
  x: Tensor,
  numGroups: number,
  weight?: Tensor | null,
  bias?: Tensor | null,
  { eps = 1e-5 }: Pick<GroupNormOptions, "eps"> = {},
): Tensor {
  if (x.rank < 2) fail({ op: "groupNorm", expected: "x (N, C, …)", got: show(x.shape) });
  checkGroups("groupNorm", numGroups, x.shape[1]!);
  const [batch, channels] = x.shape as [number, number];
  const [rows, each] = [batch * numGroups, channels / numGroups];
  return scope(() => {
    const [scale, shift] = [weight, bias].map((t) => t && reshape(expand(t, [batch, channels]), [rows, each, 1]));
    return normalizeRows(x, [rows, each, sizeOf(x.shape.slice(2))], eps, scale, shift);
  });
}

function checkGroups(op: string, groups: number, channels: number): void {
  if (Number.isInteger(groups) && groups >= 1 && channels % groups === 0) return;
  fail({ op, expected: `numGroups to divide the ${channels} channels`, got: `${groups}` });
}
