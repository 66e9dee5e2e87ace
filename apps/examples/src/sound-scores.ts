/** How good denoised sounds are: SI-SNR, and what of it a filter gains. */
import type { Mixture } from "./noisy-speech.js";
import { filter, type Gains, spectralSubtraction } from "./sound-filter.js";

/** Scale-invariant ratio of signal to noise (Le Roux et al., 2019), dB: how much of the answer is the clean sound, whatever its loudness. */
export function siSnr(answer: Float32Array, clean: Float32Array): number {
  const length = Math.min(answer.length, clean.length);
  const centred = (x: Float32Array) => {
    const mean = x.subarray(0, length).reduce((sum, v) => sum + v, 0) / length;
    return Float64Array.from(x.subarray(0, length), (v) => v - mean);
  };
  const [a, c] = [centred(answer), centred(clean)];
  const dot = (x: Float64Array, y: Float64Array) => x.reduce((sum, v, i) => sum + v * y[i], 0);
  const scale = dot(a, c) / dot(c, c);
  const rest = a.map((v, i) => v - scale * c[i]);
  return 10 * Math.log10((scale * scale * dot(c, c)) / dot(rest, rest));
}

/** By how much each sound is better than before, dB. `gains` makes a filter that has heard nothing yet. */
export function gained(gains: () => Gains, sounds: readonly Mixture[]): number[] {
  return sounds.map(({ clean, noisy }) => siSnr(filter(noisy, gains()), clean) - siSnr(noisy, clean));
}

/** The strength with which spectral subtraction gains most. */
export function bestStrength(sounds: readonly Mixture[]): number {
  const tried = [1, 2, 4].map((strength) => ({
    strength,
    gain: mean(gained(() => spectralSubtraction(strength), sounds)),
  }));
  return tried.reduce((best, other) => (other.gain > best.gain ? other : best)).strength;
}

export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
