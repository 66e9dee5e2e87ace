// Augmentation: images changed at random, each in its own way. On tensors, so it runs on the backend.

import {
  arange,
  fail,
  type Generator,
  gather,
  indexSelect,
  oneHot,
  pad,
  rand,
  randint,
  randn,
  scope,
  show,
  type Tensor,
  tensor,
  where,
} from "@nn/tensor";
import { checkShare, checkWhole } from "../check.js";
import { range, shuffle } from "../random.js";
import { type Batch, dispose } from "../structure.js";
import type { LoaderOptions } from "./loader.js";

/** Changes images x (N, C, H, W). */
export type Augmentation = (x: Tensor, random: { readonly generator: Generator }) => Tensor;

/**
 * For a loader's `map`: changes x, one after the other.
 *
 * @throws if x is not (N, C, H, W)
 * @example
 * ```ts
 * loader(images, { shuffle: true, map: augment(randomFlip(), randomCrop(32, { padding: 4 }), cutout(8)) });
 * ```
 */
export function augment(...list: readonly Augmentation[]): NonNullable<LoaderOptions["map"]> {
  return ([x, ...rest], { generator }) => {
    const images = x as Tensor;
    if (images.rank !== 4) fail({ op: "augment", expected: "images x (N, C, H, W)", got: show(images.shape) });
    const changed = scope(() => list.reduce((now, change) => change(now, { generator }), images));
    if (changed !== images) images.dispose();
    return [changed, ...rest] as unknown as Batch;
  };
}

/** Mirrors an image with probability p (default 0.5): left and right, or with `vertical` top and bottom. */
export function randomFlip({
  p = 0.5,
  vertical = false,
}: {
  readonly p?: number;
  readonly vertical?: boolean;
} = {}): Augmentation {
  checkShare("randomFlip", "p", p);
  return (x, random) => where(rand([x.shape[0], 1, 1, 1], random).lt(p), x.flip(vertical ? 2 : 3), x);
}

/** A part of `size` (a number, or [height, width]) from a random place, after `padding` zeros on every side (default 0). */
export function randomCrop(
  size: number | readonly [number, number],
  { padding = 0 }: { readonly padding?: number } = {},
): Augmentation {
  const [h, w] = typeof size === "number" ? [size, size] : size;
  checkWhole("randomCrop", "size", Math.min(h, w));
  checkWhole("randomCrop", "padding", padding, 0);
  return (x, random) => {
    const [n, c, H, W] = x.shape;
    const [down, right] = [H + 2 * padding - h, W + 2 * padding - w];
    if (down < 0 || right < 0) {
      fail({
        op: "randomCrop",
        expected: `images of at least ${h}×${w} after padding`,
        got: `${H}×${W} and padding ${padding}`,
      });
    }
    const padded =
      padding === 0
        ? x
        : pad(x, [
            [0, 0],
            [0, 0],
            [padding, padding],
            [padding, padding],
          ]);
    const rows = randint(0, down + 1, [n, 1, 1, 1], random).add(arange(h).reshape([1, 1, h, 1]));
    const columns = randint(0, right + 1, [n, 1, 1, 1], random).add(arange(w).reshape([1, 1, 1, w]));
    const band = gather(padded, 2, rows.expand([n, c, h, padded.shape[3]]));
    return gather(band, 3, columns.expand([n, c, h, w]));
  };
}

/** Moves an image by up to `most` pixels in each direction; zeros come in. */
export function randomShift(most: number): Augmentation {
  return (x, random) => randomCrop([x.shape[2], x.shape[3]], { padding: most })(x, random);
}

/** Turns an image around its middle by up to `degrees` either way, bilinearly; zeros come in. */
export function randomRotation(degrees: number): Augmentation {
  if (!(degrees >= 0)) fail({ op: "randomRotation", expected: "degrees of at least 0", got: `${degrees}` });
  return (x, random) => {
    const [n, c, H, W] = x.shape;
    const angle = rand([n, 1, 1], random)
      .mul(2)
      .sub(1)
      .mul((degrees * Math.PI) / 180);
    const [sin, cos] = [angle.sin(), angle.cos()];
    const dy = arange(H)
      .cast("f32")
      .sub((H - 1) / 2)
      .reshape([1, H, 1]);
    const dx = arange(W)
      .cast("f32")
      .sub((W - 1) / 2)
      .reshape([1, 1, W]);
    // Where each pixel comes from.
    const sy = cos
      .mul(dy)
      .sub(sin.mul(dx))
      .add((H - 1) / 2);
    const sx = sin
      .mul(dy)
      .add(cos.mul(dx))
      .add((W - 1) / 2);
    const [top, left] = [sy.floor(), sx.floor()];
    const flat = x.reshape([n, c, H * W]);
    const corner = (y: Tensor, k: Tensor) => {
      const inside = y
        .ge(0)
        .logicalAnd(y.le(H - 1))
        .logicalAnd(k.ge(0))
        .logicalAnd(k.le(W - 1));
      const share = y.sub(sy).abs().neg().add(1).mul(k.sub(sx).abs().neg().add(1));
      const at = y
        .clamp(0, H - 1)
        .mul(W)
        .add(k.clamp(0, W - 1))
        .cast("i32");
      const value = gather(flat, 2, at.reshape([n, 1, H * W]).expand([n, c, H * W]));
      return value.reshape([n, c, H, W]).mul(where(inside, share, 0).reshape([n, 1, H, W]));
    };
    const [bottom, right] = [top.add(1), left.add(1)];
    return corner(top, left).add(corner(top, right)).add(corner(bottom, left)).add(corner(bottom, right));
  };
}

/** Adds normal noise of this deviation. */
export function noise(deviation: number): Augmentation {
  return (x, random) => x.add(randn(x.shape, random).mul(deviation));
}

/** Zeros in a square of `size` around a random pixel (DeVries and Taylor, 2017); what lies outside of the image is cut off. */
export function cutout(size: number): Augmentation {
  checkWhole("cutout", "size", size);
  return (x, random) => {
    const [n, , H, W] = x.shape;
    const hidden = (length: number, shape: readonly number[]) => {
      const from = randint(0, length, [n, 1, 1, 1], random).sub(Math.floor(size / 2));
      const at = arange(length).reshape(shape);
      return at.ge(from).logicalAnd(at.lt(from.add(size)));
    };
    return where(hidden(H, [1, 1, H, 1]).logicalAnd(hidden(W, [1, 1, 1, W])), 0, x);
  };
}

/** Options of {@link mixup}. */
export interface MixupOptions {
  /** How many classes there are, if targets are class numbers. They become rows of probabilities, which `crossEntropy` takes, too. */
  readonly numClasses?: number;
}

/**
 * For a loader's `map`: mixes every sample and its target with another of the batch, λ and 1 − λ, where λ is drawn from Beta(α, α) for each batch
 * (Zhang et al., 2018).
 *
 * @example
 * ```ts
 * loader(images, { shuffle: true, map: mixup(0.2, { numClasses: 10 }) });
 * ```
 */
export function mixup(alpha: number, { numClasses }: MixupOptions = {}): NonNullable<LoaderOptions["map"]> {
  if (!(alpha > 0)) fail({ op: "mixup", expected: "alpha above 0", got: `${alpha}` });
  return (batch, { random }) => {
    const [x, y] = batch as readonly [Tensor, Tensor];
    if (y.dtype !== "f32" && numClasses === undefined) {
      fail({ op: "mixup", expected: "numClasses, as targets are class numbers", got: "none" });
    }
    const share = beta(alpha, random);
    const order = shuffle(range(x.shape[0]), random);
    try {
      return scope(() => {
        const partner = tensor(Int32Array.from(order));
        const mix = (t: Tensor) => t.mul(share).add(indexSelect(t, 0, partner).mul(1 - share));
        return [mix(x), mix(y.dtype === "f32" ? y : oneHot(y, numClasses!).cast("f32"))] as const;
      });
    } finally {
      dispose(batch);
    }
  };
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

/** A number from Beta(a, a): x / (x + y) of two from Gamma(a). */
function beta(a: number, random: () => number): number {
  const [x, y] = [gamma(a, random), gamma(a, random)];
  return x + y === 0 ? 0.5 : x / (x + y);
}

/** A number from Gamma(a, 1): Marsaglia and Tsang (2000); for a < 1 from Gamma(a + 1). */
function gamma(a: number, random: () => number): number {
  if (a < 1) return gamma(a + 1, random) * (1 - random()) ** (1 / a);
  const d = a - 1 / 3;
  for (;;) {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const v = (1 + normal / Math.sqrt(9 * d)) ** 3;
    if (v > 0 && Math.log(1 - random()) < normal ** 2 / 2 + d - d * v + d * Math.log(v)) return d * v;
  }
}
