// interpolate: other spatial sizes. Every mode works axis by axis: an output is a weighted sum of a few elements of its
// line, and which they are and what they weigh depends on the sizes only. So it is a gather, a product with constants
// and a sum, all of them linear in x.

import { expand, fail, indexSelect, mul, reshape, scope, show, sum, type Tensor, tensor } from "@nn/tensor";
import { axisNames, perAxis, type Size } from "../spatial.js";

/** How {@link interpolate} finds values between elements. The linear and cubic ones say how many axes there are. */
export type InterpolateMode = "nearest" | "nearest-exact" | "linear" | "bilinear" | "bicubic" | "trilinear";

/** Options of {@link interpolate}: `size` or `scaleFactor`, and the rest. */
export interface InterpolateOptions {
  /** Spatial sizes of the output. */
  readonly size?: Size;
  /** Output sizes as multiples of the input's, rounded down. */
  readonly scaleFactor?: Size;
  /** Default `"nearest"`. */
  readonly mode?: InterpolateMode;
  /**
   * Whether the corner elements of input and output have their centres in one place, and not their outer corners
   * (default false). Only for the linear and cubic modes.
   */
  readonly alignCorners?: boolean;
  /** Whether `scaleFactor` only gives the sizes, and positions follow from these (default false: from the factor itself). */
  readonly recomputeScaleFactor?: boolean;
}

/**
 * Resamples the spatial axes, as
 * [torch.nn.functional.interpolate](https://pytorch.org/docs/stable/generated/torch.nn.functional.interpolate.html),
 * without its modes `"area"` (that is adaptive average pooling) and its `antialias`.
 *
 * @param x (N, C, …spatial) f32 with 1 to 3 spatial axes: `"linear"` takes one, `"bilinear"` and `"bicubic"` two,
 *   `"trilinear"` three, the nearest ones any
 * @returns (N, C, …size)
 * @throws {@link NNError} if mode, axes or sizes do not fit
 * @example
 * ```ts
 * interpolate(zeros([8, 3, 16, 16]), { scaleFactor: 2, mode: "bilinear" }).shape; // [8, 3, 32, 32]
 * ```
 */
export function interpolate(x: Tensor, options: InterpolateOptions): Tensor {
  const { mode, alignCorners } = checkInterpolate("interpolate", options);
  const axes = x.rank - 2;
  const wanted = AXES[mode];
  if (wanted ? axes !== wanted : axes < 1 || axes > 3) {
    const spatial = wanted ? `x (N, C, ${axisNames(wanted)})` : "x (N, C, …) with 1, 2 or 3 spatial axes";
    fail({ op: "interpolate", expected: `${spatial} for mode "${mode}"`, got: show(x.shape) });
  }
  const from = x.shape.slice(2);
  const { size, factors } = sizesOf(from, options);
  const nearest = mode === "nearest" || mode === "nearest-exact";
  /** PyTorch takes lines of the right length as they are, also where a scaleFactor would move them. */
  const linear = !nearest && mode !== "bicubic";
  const scales = from.map((d, i) => {
    if (alignCorners) return size[i]! > 1 ? (d - 1) / (size[i]! - 1) : 0;
    return factors ? 1 / factors[i]! : d / size[i]!;
  });
  // Whole factors repeat elements: a view and one copy.
  const times = from.map((d, i) => (nearest && scales[i] === d / size[i]! && size[i]! % d === 0 ? size[i]! / d : 1));
  return scope(() =>
    from.reduce(
      (y, d, i) => {
        const [out, scale] = [size[i]!, scales[i]!];
        if (d * times[i]! === out && (times[i]! > 1 || scale === 1 || linear)) return y;
        return weighted(y, 2 + i, out, taps(mode, alignCorners, d, out, scale));
      },
      repeated(x, times),
    ),
  );
}

/** Checks what does not depend on x. */
export function checkInterpolate(op: string, options: InterpolateOptions) {
  const { size, scaleFactor, mode = "nearest", alignCorners } = options;
  if (!Object.hasOwn(AXES, mode)) {
    const words = Object.keys(AXES).map((m) => `"${m}"`);
    fail({ op, expected: `mode ${words.join(" or ")}`, got: JSON.stringify(mode) });
  }
  if ((size === undefined) === (scaleFactor === undefined)) {
    fail({ op, expected: "either size or scaleFactor", got: size === undefined ? "neither" : "both" });
  }
  if (alignCorners !== undefined && AXES[mode] === 0) {
    const hint = 'Use "linear", "bilinear", "bicubic" or "trilinear".';
    fail({ op, expected: `no alignCorners with mode "${mode}"`, got: `${alignCorners}`, hint });
  }
  return { mode, alignCorners: alignCorners ?? false };
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

/** Spatial axes of each mode; 0: any. */
const AXES: Readonly<Record<InterpolateMode, number>> = {
  nearest: 0,
  "nearest-exact": 0,
  linear: 1,
  bilinear: 2,
  bicubic: 2,
  trilinear: 3,
};

/** The output's sizes, and the factors where positions follow from these. */
function sizesOf(from: readonly number[], { size, scaleFactor, recomputeScaleFactor }: InterpolateOptions) {
  const op = "interpolate";
  const axes = from.length;
  if (from.includes(0)) fail({ op, expected: "spatial axes of at least 1", got: show(from) });
  if (size !== undefined) return { size: perAxis(op, "size", size, axes, 1), factors: null };
  const factors = typeof scaleFactor === "number" ? from.map(() => scaleFactor) : scaleFactor!;
  const sizes = from.map((d, i) => Math.floor(d * factors[i]!));
  if (factors.length !== axes || !sizes.every((d) => d >= 1 && Number.isFinite(d))) {
    fail({
      op,
      expected: `scaleFactor: a number > 0, or ${axes} of them (${axisNames(axes)}), that leave at least 1 of ${show(from)}`,
      got: JSON.stringify(scaleFactor),
    });
  }
  return { size: sizes, factors: recomputeScaleFactor ? null : factors };
}

/** Every element of a spatial axis so many times in a row. */
function repeated(x: Tensor, times: readonly number[]): Tensor {
  if (times.every((n) => n === 1)) return x;
  const [lead, size] = [x.shape.slice(0, 2), x.shape.slice(2)];
  const apart = reshape(x, [...lead, ...size.flatMap((d) => [d, 1])]);
  const wide = expand(apart, [...lead, ...size.flatMap((d, i) => [d, times[i]!])]);
  return reshape(wide, [...lead, ...size.map((d, i) => d * times[i]!)]);
}

/** Of one output: position and weight of the elements that make it. */
type Taps = readonly (readonly [at: number, weight: number])[];

/** The taps of every output along an axis of d elements; positions and rounding as in PyTorch's UpSample.h. */
function taps(mode: InterpolateMode, alignCorners: boolean, d: number, out: number, scale: number): Taps[] {
  const inside = (i: number) => Math.min(Math.max(i, 0), d - 1);
  return Array.from({ length: out }, (_, i): Taps => {
    if (mode === "nearest") return [[inside(Math.floor(Math.fround(i * Math.fround(scale)))), 1]];
    if (mode === "nearest-exact") return [[inside(Math.floor(Math.fround((i + 0.5) * Math.fround(scale)))), 1]];
    const centre = alignCorners ? i * scale : (i + 0.5) * scale - 0.5;
    const at = mode === "bicubic" ? centre : Math.max(centre, 0);
    const first = Math.floor(at);
    const t = at - first;
    if (mode !== "bicubic") {
      return [
        [inside(first), 1 - t],
        [inside(first + 1), t],
      ];
    }
    return [1 + t, t, 1 - t, 2 - t].map((distance, j) => [inside(first - 1 + j), cubic(distance)]);
  });
}

/** The kernel of cubic convolution (Keys, 1981) with a = −0.75. */
function cubic(x: number): number {
  const a = -0.75;
  return x <= 1 ? ((a + 2) * x - (a + 3)) * x * x + 1 : ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
}

/** One axis: the taps of all outputs in one gather, first those that come first, then weighted and added. */
function weighted(x: Tensor, axis: number, out: number, lines: readonly Taps[]): Tensor {
  const n = lines[0]!.length;
  const order = Array.from({ length: n }, (_, j) => lines.map((line) => line[j]!)).flat();
  const y = indexSelect(x, axis, tensor(Int32Array.from(order, ([at]) => at)));
  if (n === 1) return y;
  const after = x.shape.slice(axis + 1);
  const weights = tensor(
    Float32Array.from(order, ([, weight]) => weight),
    { shape: [n, out, ...after.map(() => 1)] },
  );
  return sum(mul(reshape(y, [...x.shape.slice(0, axis), n, out, ...after]), weights), axis);
}
