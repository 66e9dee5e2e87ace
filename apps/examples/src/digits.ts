/**
 * Draws 28×28 digits from strokes, so that the tour needs no data file. Each digit is written in a
 * few ways (an open 4, a 7 with a bar); each sample bends the strokes, turns, slants, scales and
 * shifts them, draws them with a pen of its own width, and adds noise. It is not MNIST, but a
 * network has to look at shapes to read it.
 */
import { type Dataset, IMAGE, PIXELS, SIDE } from "./dataset.js";
import { type Random, random } from "./random.js";

/** `count` digits, as many of each class as possible, in random order. Same seed, same digits. */
export function drawDigits(count: number, seed: number): Dataset {
  const source = random(seed);
  const labels = source.shuffle(Array.from({ length: count }, (_, i) => i % 10));
  const inputs = new Float32Array(count * PIXELS);
  labels.forEach((digit, i) => {
    inputs.set(drawDigit(digit, source), i * PIXELS);
  });
  return { count, shape: IMAGE, inputs, labels: Int32Array.from(labels) };
}

/** One digit as 784 values, 0 (paper) to 1 (ink). */
export function drawDigit(digit: number, source: Random): Float32Array {
  const place = handwriting(source);
  const strokes = source.pick(GLYPHS[digit]).map((stroke) => stroke.map(place));
  return addNoise(draw(strokes, source.uniform(0.8, 1.6)), source);
}

// ---------------------------------------------------------------------------------------------

/** x to the right and y down: 0 to 1 over the body of the digit, or pixels of the image. */
export type Point = readonly [x: number, y: number];
export type Stroke = readonly Point[];

/** An elliptic arc around (cx, cy), in degrees: 0 is right, 90 is down. */
function arc(cx: number, cy: number, rx: number, ry: number, from: number, to: number): Stroke {
  const steps = Math.ceil(Math.abs(to - from) / 20);
  return Array.from({ length: steps + 1 }, (_, i) => {
    const angle = ((from + ((to - from) * i) / steps) * Math.PI) / 180;
    return [cx + rx * Math.cos(angle), cy + ry * Math.sin(angle)];
  });
}

/** A smooth line through the points (Catmull-Rom). */
export function curve(...points: Point[]): Stroke {
  const at = (i: number): Point => points[Math.min(Math.max(i, 0), points.length - 1)];
  const steps = 5;
  const stroke: Point[] = [at(0)];
  for (let i = 0; i + 1 < points.length; i++) {
    for (let step = 1; step <= steps; step++) {
      const t = step / steps;
      const along = (axis: 0 | 1): number => {
        const [a, b, c, d] = [at(i - 1)[axis], at(i)[axis], at(i + 1)[axis], at(i + 2)[axis]];
        return b + (t / 2) * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * b - a - 3 * c + d)));
      };
      stroke.push([along(0), along(1)]);
    }
  }
  return stroke;
}

/** The ways to write each digit. */
const GLYPHS: readonly (readonly (readonly Stroke[])[])[] = [
  [
    [arc(0.5, 0.5, 0.3, 0.5, -90, 270)],
    [arc(0.5, 0.5, 0.22, 0.48, -90, 270)],
    [curve([0.58, 0.02], [0.3, 0.15], [0.2, 0.55], [0.38, 0.95], [0.68, 0.88], [0.82, 0.5], [0.68, 0.1], [0.5, 0.06])],
  ],
  [
    [
      [
        [0.5, 0],
        [0.5, 1],
      ],
    ],
    [
      [
        [0.3, 0.22],
        [0.54, 0],
        [0.54, 1],
      ],
    ],
    [
      [
        [0.3, 0.2],
        [0.52, 0],
        [0.52, 1],
      ],
      [
        [0.28, 1],
        [0.76, 1],
      ],
    ],
  ],
  [
    [[...arc(0.48, 0.28, 0.28, 0.28, -165, 35), [0.2, 1], [0.84, 1]]],
    [
      curve([0.2, 0.2], [0.45, 0], [0.74, 0.16], [0.66, 0.5], [0.38, 0.84], [0.16, 0.98]),
      [
        [0.16, 0.98],
        [0.85, 0.96],
      ],
    ],
    [
      curve(
        [0.22, 0.22],
        [0.42, 0.01],
        [0.72, 0.12],
        [0.64, 0.5],
        [0.34, 0.88],
        [0.18, 0.9],
        [0.24, 0.76],
        [0.46, 0.86],
        [0.66, 0.98],
        [0.86, 0.92],
      ),
    ],
  ],
  [
    [[...arc(0.45, 0.25, 0.27, 0.25, -150, 90), ...arc(0.45, 0.75, 0.32, 0.25, -90, 150)]],
    [
      [
        [0.2, 0.02],
        [0.76, 0.02],
        [0.44, 0.4],
      ],
      arc(0.44, 0.7, 0.33, 0.3, -90, 150),
    ],
    [
      curve(
        [0.2, 0.12],
        [0.46, 0],
        [0.7, 0.16],
        [0.64, 0.38],
        [0.4, 0.47],
        [0.7, 0.58],
        [0.78, 0.8],
        [0.52, 1],
        [0.18, 0.9],
      ),
    ],
  ],
  [
    [
      [
        [0.24, 0],
        [0.18, 0.58],
        [0.84, 0.58],
      ],
      [
        [0.68, 0.18],
        [0.66, 1],
      ],
    ],
    [
      [
        [0.66, 1],
        [0.66, 0],
        [0.14, 0.66],
        [0.88, 0.66],
      ],
    ],
    [
      curve([0.26, 0.02], [0.2, 0.36], [0.3, 0.54], [0.56, 0.54], [0.74, 0.46]),
      [
        [0.78, 0.02],
        [0.7, 1],
      ],
    ],
  ],
  [
    [
      [
        [0.78, 0.02],
        [0.3, 0.02],
        [0.24, 0.44],
      ],
      curve([0.24, 0.44], [0.5, 0.36], [0.76, 0.5], [0.78, 0.78], [0.5, 1], [0.18, 0.9]),
    ],
    [
      [[0.3, 0.04], [0.26, 0.46], ...arc(0.44, 0.69, 0.32, 0.3, -125, 140)],
      [
        [0.3, 0.04],
        [0.82, 0.02],
      ],
    ],
    [curve([0.76, 0.03], [0.36, 0.05], [0.3, 0.38], [0.62, 0.48], [0.76, 0.72], [0.56, 0.98], [0.2, 0.94])],
  ],
  [
    [
      curve(
        [0.66, 0],
        [0.38, 0.22],
        [0.22, 0.6],
        [0.3, 0.92],
        [0.56, 1],
        [0.78, 0.82],
        [0.7, 0.58],
        [0.46, 0.54],
        [0.25, 0.72],
      ),
    ],
    [
      [
        [0.6, 0],
        [0.26, 0.6],
      ],
      arc(0.5, 0.72, 0.28, 0.28, -180, 180),
    ],
    [curve([0.76, 0.08], [0.52, 0.02], [0.3, 0.24], [0.22, 0.7], [0.24, 0.76]), arc(0.5, 0.73, 0.28, 0.26, -190, 175)],
  ],
  [
    [
      [
        [0.16, 0.03],
        [0.82, 0.03],
        [0.4, 1],
      ],
    ],
    [
      [
        [0.16, 0.03],
        [0.8, 0.03],
        [0.42, 1],
      ],
      [
        [0.32, 0.5],
        [0.78, 0.5],
      ],
    ],
    [
      [
        [0.18, 0.16],
        [0.18, 0.03],
      ],
      curve([0.18, 0.05], [0.5, 0.08], [0.82, 0.02]),
      curve([0.82, 0.02], [0.58, 0.44], [0.5, 1]),
    ],
  ],
  [
    [arc(0.5, 0.24, 0.23, 0.24, -90, 270), arc(0.5, 0.74, 0.29, 0.26, -90, 270)],
    [
      curve(
        [0.72, 0.14],
        [0.46, 0.01],
        [0.28, 0.2],
        [0.5, 0.46],
        [0.76, 0.76],
        [0.5, 1],
        [0.24, 0.78],
        [0.48, 0.48],
        [0.74, 0.18],
        [0.6, 0.02],
      ),
    ],
  ],
  [
    [
      arc(0.48, 0.28, 0.27, 0.28, -10, 350),
      [
        [0.76, 0.2],
        [0.7, 1],
      ],
    ],
    [[...arc(0.48, 0.28, 0.27, 0.28, -20, 340), ...curve([0.76, 0.24], [0.74, 0.7], [0.56, 0.98], [0.24, 0.94])]],
    [curve([0.74, 0.16], [0.48, 0.01], [0.24, 0.22], [0.34, 0.5], [0.6, 0.48], [0.75, 0.14], [0.72, 0.6], [0.64, 1])],
  ],
];

/** Height in pixels of a digit of scale 1; as in MNIST, it leaves a margin of 4. */
const BODY = 20;

/** A random way to put points of the unit square onto the image: bent a little, then slanted, turned, scaled, shifted. */
export function handwriting(source: Random): (point: Point) => Point {
  const bend = Array.from({ length: 2 }, () => ({
    size: source.uniform(0, 0.045),
    rate: source.uniform(3, 8),
    phase: source.uniform(0, 2 * Math.PI),
  }));
  const angle = source.uniform(-0.2, 0.2);
  const slant = source.uniform(-0.25, 0.25);
  const [width, height] = [BODY * source.uniform(0.75, 1.1), BODY * source.uniform(0.8, 1.08)];
  const [dx, dy] = [source.uniform(-2, 2), source.uniform(-2, 2)];
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return ([x, y]) => {
    const bentX = x - 0.5 + bend[0].size * Math.sin(bend[0].rate * y + bend[0].phase);
    const bentY = y - 0.5 + bend[1].size * Math.sin(bend[1].rate * x + bend[1].phase);
    const [u, v] = [width * (bentX - slant * bentY), height * bentY];
    return [SIDE / 2 + dx + cos * u - sin * v, SIDE / 2 + dy + sin * u + cos * v];
  };
}

/** Draws polylines (in pixels) with a round pen, anti-aliased: ink falls off over one pixel at the pen's edge. */
export function draw(strokes: readonly Stroke[], radius: number): Float32Array {
  const image = new Float32Array(PIXELS);
  const reach = radius + 0.5;
  for (const stroke of strokes) {
    for (let i = 0; i + 1 < stroke.length; i++) {
      const [[ax, ay], [bx, by]] = [stroke[i], stroke[i + 1]];
      const [abx, aby] = [bx - ax, by - ay];
      const length2 = abx * abx + aby * aby || 1;
      // Pixel (column, row) has its centre at (column + 0.5, row + 0.5).
      const first = (low: number): number => Math.max(0, Math.floor(low - reach - 0.5));
      const last = (high: number): number => Math.min(SIDE - 1, Math.ceil(high + reach - 0.5));
      for (let row = first(Math.min(ay, by)); row <= last(Math.max(ay, by)); row++) {
        for (let column = first(Math.min(ax, bx)); column <= last(Math.max(ax, bx)); column++) {
          const [px, py] = [column + 0.5 - ax, row + 0.5 - ay];
          const t = Math.min(1, Math.max(0, (px * abx + py * aby) / length2));
          const ink = Math.min(1, reach - Math.hypot(px - t * abx, py - t * aby));
          image[row * SIDE + column] = Math.max(image[row * SIDE + column], ink);
        }
      }
    }
  }
  return image;
}

export function addNoise(image: Float32Array, source: Random): Float32Array {
  const pressure = source.uniform(0.75, 1);
  return image.map((ink) => Math.min(1, Math.max(0, ink * pressure + 0.06 * source.normal())));
}
