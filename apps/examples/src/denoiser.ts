/** A network that says of each frequency of a frame how much of it is speech: what it hears, what it learns from, and how it runs live. */
import { Linear } from "@nn/layers";
import { GRU, type Stream } from "@nn/recurrent";
import { Module, type Tensor } from "@nn/tensor";
import { type Dataset, samples, stft } from "@nn/train";
import type { Mixture } from "./noisy-speech.js";
import { BINS, FRAMES, type Gains } from "./sound-filter.js";

const HIDDEN = 96;

/**
 * Magnitudes (N, T, 129) → gains of the same shape, from 0 to 1. The GRU says how loud the noise is at each frequency, n; the gain is Wiener's,
 * m² / (m² + n²), which is the sigmoid of 2 · (ln m − ln n). A frame's gains know nothing of later frames.
 */
export class Denoiser extends Module {
  readonly gru = new GRU(BINS, HIDDEN, { batchFirst: true });
  readonly head = new Linear(HIDDEN, BINS);

  override forward(magnitudes: Tensor): Tensor {
    const x = magnitudes.add(1e-3).log().add(2); // a mean near 0
    const noise = this.head.forward(this.gru.forward(x).output);
    return x.sub(noise).mul(2).sigmoid();
  }
}

/** What the gains are judged by: the noisy magnitudes, and the part of the clean sound that has their phase (N, T, 129). */
export interface Target {
  readonly noisy: Tensor;
  readonly clean: Tensor;
}

/** How large what is wrong is beside the clean sound; the mean over the sounds, so that faint noise counts as well as loud. */
export function denoiseLoss(gains: Tensor, { noisy, clean }: Target): Tensor {
  const wrong = gains.mul(noisy).sub(clean).square().sum([1, 2]);
  return wrong
    .div(clean.square().sum([1, 2]))
    .sqrt()
    .mean();
}

/** Mixtures as batches for training. */
export function spectra(mixtures: readonly Mixture[]): Dataset {
  const rows = mixtures.map((sound) => {
    const [y, s] = [stft(sound.noisy, FRAMES), stft(sound.clean, FRAMES)];
    const noisy = Float32Array.from(y.re, (v, i) => Math.sqrt(v * v + y.im[i] * y.im[i]));
    const clean = noisy.map((magnitude, i) => {
      const along = (s.re[i] * y.re[i] + s.im[i] * y.im[i]) / (magnitude + 1e-9);
      return Math.min(magnitude, Math.max(0, along)); // a gain reaches no more and no less
    });
    return [noisy, clean].map((data) => ({ data, shape: y.shape }));
  });
  return samples(rows.length, (i) => {
    const [noisy, clean] = rows[i];
    return [noisy, { noisy, clean }];
  });
}

/** The gains of a stream of a {@link Denoiser}, from its beginning. */
export function gainsOf(live: Stream): Gains {
  live.reset();
  return (magnitudes) => live.step(magnitudes);
}
