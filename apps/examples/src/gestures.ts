/** Four activities as six sensors of a watch may see them, 10 times a second for 10 seconds, generated. */
import { type Dataset as Batches, samples } from "@nn/train";
import type { Dataset } from "./dataset.js";
import { type Random, random } from "./random.js";
import type { SeriesSet } from "./series.js";
import { spread } from "./timeseries.js";

const [SENSORS, STEPS] = [6, 100];

/** How often a second the arm swings, how far, how much of that comes in strokes, how much it shakes. */
const ACTIVITIES = {
  resting: { rate: [0.1, 0.3], swing: [0.1, 0.4], strokes: 0, shaking: 0.3 },
  walking: { rate: [0.7, 1.1], swing: [0.6, 1.6], strokes: 0, shaking: 0.4 },
  running: { rate: [1.3, 1.7], swing: [1.2, 3], strokes: 0, shaking: 0.6 },
  badminton: { rate: [0.7, 1.7], swing: [0.8, 3], strokes: 1, shaking: 0.6 },
} as const;

export function drawGestures(seed: number): SeriesSet {
  const source = random(seed);
  const classes = Object.keys(ACTIVITIES);
  const draw = (count: number): Dataset => {
    const labels = Int32Array.from({ length: count }, (_, i) => i % classes.length);
    const series = Array.from(labels, (label) => move(Object.values(ACTIVITIES)[label], source));
    return { count, shape: [SENSORS, STEPS], inputs: Float32Array.from(series.flat()), labels };
  };
  return { train: draw(40), test: draw(120), classes };
}

/**
 * Batches of series (N, T, sensors) each of which becomes another one somewhere, with the class of every step (N, T): so that a network learns
 * to notice. Each series is in turn the first one, and begins at a random step, as if it went round.
 */
export function changing(series: Float32Array, labels: Int32Array, sensors: number, source: Random): Batches {
  const steps = series.length / labels.length / sensors;
  return samples(labels.length, (first) => {
    const [second, change] = [source.below(labels.length), source.below(steps)];
    const starts = [source.below(steps), source.below(steps)];
    const [x, y] = [new Float32Array(steps * sensors), new Int32Array(steps)];
    for (let t = 0; t < steps; t++) {
      const [which, start] = t < change ? [first, starts[0]] : [second, starts[1]];
      const from = (which * steps + ((start + t) % steps)) * sensors;
      x.set(series.subarray(from, from + sensors), t * sensors);
      y[t] = labels[which];
    }
    return [{ data: x, shape: [steps, sensors] }, y];
  });
}

/** Both sets as (N, T, sensors), each sensor with a mean of 0 and a deviation of 1 over the training set. */
export function scaled(...sets: readonly [train: Dataset, test: Dataset]): Float32Array[] {
  const [{ inputs, shape }] = sets;
  const [sensors, length] = shape;
  const scales = Array.from({ length: sensors }, (_, sensor) => {
    const own = [...inputs].filter((_, i) => Math.floor(i / length) % sensors === sensor);
    return spread(own);
  });
  return sets.map(({ count, inputs }) =>
    Float32Array.from({ length: count * length * sensors }, (_, i) => {
      const [sample, step, sensor] = [
        Math.floor(i / (sensors * length)),
        Math.floor(i / sensors) % length,
        i % sensors,
      ];
      return (inputs[(sample * sensors + sensor) * length + step] - scales[sensor].mean) / scales[sensor].deviation;
    }),
  );
}

/** For each test series the class of that training series from which it differs least, step by step. */
export function nearest(train: Dataset, test: Dataset): Int32Array {
  const size = test.shape[0] * test.shape[1];
  const row = ({ inputs }: Dataset, i: number) => inputs.subarray(i * size, (i + 1) * size);
  return Int32Array.from({ length: test.count }, (_, i) => {
    const distances = Array.from(train.labels, (_, j) =>
      Math.hypot(...row(test, i).map((v, k) => v - row(train, j)[k])),
    );
    return train.labels[distances.indexOf(Math.min(...distances))];
  });
}

// ---------------------------------------------------------------------------------------------

function move(
  { rate, swing, strokes, shaking }: (typeof ACTIVITIES)[keyof typeof ACTIVITIES],
  source: Random,
): number[] {
  const [speed, size, start] = [source.uniform(...rate), source.uniform(...swing), source.uniform(0, 2 * Math.PI)];
  const pauses = Array.from({ length: STEPS }, (_, t) => source.uniform(0.7, 1.3) * Math.sin(t / 6 + 2 * start));
  return Array.from({ length: SENSORS }, (_, sensor) => {
    const [share, lag, tilt] = [source.uniform(0.4, 1), sensor + source.uniform(-0.5, 0.5), 0.3 * source.normal()];
    return Array.from({ length: STEPS }, (_, t) => {
      const wave = Math.sin(2 * Math.PI * speed * 0.1 * t + start + lag);
      const stroke = strokes && pauses[t] < 0.2 ? 0.1 : 1; // between strokes one waits
      return tilt + size * share * stroke * wave + shaking * source.normal();
    });
  }).flat();
}
