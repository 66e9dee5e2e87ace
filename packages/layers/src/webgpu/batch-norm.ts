// batchNorm in training and its gradient: sums per channel by workgroups, then a map. A channel of many elements is summed
// in pieces; means and variances of pieces are put together by the formula of Chan, Golub and LeVeque (1979), so that
// nothing cancels.

import {
  eachElement,
  groupIndex,
  groupsOf,
  main,
  placeOf,
  reads,
  together,
  type WgslCode,
  type WgslKernel,
  type WgslPass,
  writes,
} from "@nn/backend-webgpu";
import { type Signature, sizeOf, type View } from "@nn/tensor";
import type { BatchNormAttrs } from "../norms/batch-norm-op.js";

/** Threads that sum. */
const LANES = 128;
/** Elements of a channel that a workgroup sums, at most; fewer than the least are the lowering's. */
const PIECE = 8192;
const LEAST = 16;

const accepts = ({ ins: [x] }: Signature<BatchNormAttrs>) => sizeOf(x!.shape.with(1, 1)) >= LEAST && x!.shape[1]! > 0;

export const batchNorm: WgslKernel<BatchNormAttrs> = {
  op: "layers/batchNorm",
  accepts,
  emit(signature) {
    const { ins, attrs } = signature;
    const [x, weight, bias] = ins as [View, View, View];
    const s = shapeOf(x);
    const all = `${s.count}.0`;
    const sums = sumPass(s, [x], (total) => [
      ...total("sum", ["in0"]),
      "let mean = sum / f32(size);",
      ...total("spread", ["in0"], "(in0_e - mean) * (in0_e - mean)"),
      `if (lane == 0u) { scratch[n] = mean; scratch[${s.all}u + n] = spread; }`,
    ]);
    const whole = perChannel(
      s,
      [
        ...pieces(s, (n) => [`mean += scratch[${n}] * f32(sizeOf(p)) / ${all};`], ["var mean = 0.0;"]),
        ...pieces(
          s,
          (n) => [
            `let off = scratch[${n}] - mean;`,
            `spread += scratch[${s.all}u + ${n}] + off * off * f32(sizeOf(p));`,
          ],
          ["var spread = 0.0;"],
        ),
        "out1[c] = mean;",
        `out2[c] = spread / ${all};`,
      ],
      [writes("out1", "f32"), writes("out2", "f32")],
    );
    const map = mapPass(
      s,
      [x],
      [
        `let scale = in1[${at(weight)}] / sqrt(out2[c] + f32(${attrs.eps}));`,
        `out0[i] = (in0_i - out1[c]) * scale + in2[${at(bias)}];`,
      ],
      [...["in1", "in2", "out1", "out2"].map((name) => reads(name, "f32")), writes("out0", "f32", true)],
    );
    return code("batchNorm", s, [sums, whole, map]);
  },
};

export const batchNormGrad: WgslKernel<BatchNormAttrs> = {
  op: "layers/batchNormGrad",
  accepts,
  emit(signature) {
    const { ins, attrs } = signature;
    const [ct, x, mean, variance, weight] = ins as [View, View, View, View, View];
    const s = shapeOf(x);
    const deviation = `let deviation = sqrt(in3[${at(variance)}] + f32(${attrs.eps}));`;
    const sums = sumPass(
      s,
      [ct, x],
      (total) => [
        `let mean = in2[${at(mean)}];`,
        ...total("sum", ["in0"]),
        ...total("along", ["in0", "in1"], "in0_e * (in1_e - mean)"),
        `if (lane == 0u) { scratch[n] = sum; scratch[${s.all}u + n] = along; }`,
      ],
      [reads("in2", "f32")],
    );
    const whole = perChannel(
      s,
      [
        ...pieces(s, (n) => [`sum += scratch[${n}];`, `along += scratch[${s.all}u + ${n}];`], [
          "var sum = 0.0;",
          "var along = 0.0;",
        ]),
        deviation,
        "out1[c] = along / deviation;",
        "out2[c] = sum;",
      ],
      [reads("in3", "f32"), writes("out1", "f32"), writes("out2", "f32")],
    );
    const map = mapPass(
      s,
      [ct, x],
      [
        deviation,
        `let shift = out2[c] / ${s.count}.0;`,
        `let slope = out1[c] / deviation / ${s.count}.0;`,
        `out0[i] = in4[${at(weight)}] / deviation * (in0_i - shift - (in1_i - in2[${at(mean)}]) * slope);`,
      ],
      [...["in2", "in3", "in4", "out1", "out2"].map((name) => reads(name, "f32")), writes("out0", "f32")],
    );
    return code("batchNorm gradient", s, [sums, whole, map]);
  },
};

// ── passes ─────────────────────────────────────────────────────────────────────────────────────────

interface Shape {
  readonly shape: readonly number[];
  readonly channels: number;
  /** Elements of a channel; these in so many pieces of so many. */
  readonly count: number;
  readonly pieces: number;
  readonly piece: number;
  /** Pieces of all channels. */
  readonly all: number;
}

function shapeOf({ shape }: View): Shape {
  const channels = shape[1]!;
  const count = sizeOf(shape.with(1, 1));
  // Few channels: more pieces, so that there is work for all.
  const piece = channels >= 64 ? PIECE : Math.max(1024, Math.ceil((PIECE * channels) / 64));
  const pieces = Math.ceil(count / piece);
  return { shape, channels, count, pieces, piece, all: channels * pieces };
}

const code = (name: string, s: Shape, passes: readonly WgslPass[]): WgslCode => ({ name, scratch: 8 * s.all, passes });

/** Where the channel's element of a view (C) lies. */
const at = ({ offset, strides }: View) => `${offset} + i32(c) * ${strides[0]}`;

/** A workgroup for each piece `n`, of channel `c`: elements `start` to `start + size`. */
function sumPass(
  s: Shape,
  views: readonly View[],
  body: (total: Total) => readonly string[],
  more: WgslPass["bindings"] = [],
): WgslPass {
  const rest = s.shape.with(1, 1);
  const inside = views.map((v) => ({ ...v, shape: rest, offset: 0 }));
  const place = placeOf(inside, rest, "e", "k");
  const base = views.map((v, k) => `let base${k} = ${v.offset} + i32(c) * ${v.strides[1]};`);
  const lines = (subgroups: boolean) => [
    `let n = ${groupIndex(s.all)};`,
    `if (n >= ${s.all}u) { return; }`,
    `let c = n / ${s.pieces}u;`,
    `let start = n % ${s.pieces}u * ${s.piece}u;`,
    `let size = min(${s.piece}u, ${s.count}u - start);`,
    ...base,
    // `total` stands for its elements.
    ...body(total(subgroups)).flatMap((line) =>
      line === ELEMENT ? place.lines : [line.replace(/in(\d)_e/g, (_, k) => `in${k}[base${k} + ${place.at[k]}]`)],
    ),
  ];
  const text = (subgroups: boolean) => main(LANES, lines(subgroups), [`var<workgroup> sums: array<f32, ${LANES}>;`]);
  return {
    text: text(false),
    withSubgroups: text(true),
    bindings: [...readsOf(views), ...more, writes("scratch", "f32")],
    groups: s.all,
  };
}

/** Where the lines for element `e` go. */
const ELEMENT = "element";

/** Sums over a piece, the same for all threads, as `name`. */
type Total = (name: string, ins: readonly string[], value?: string) => string[];

const total =
  (subgroups: boolean): Total =>
  (name, ins, value = `${ins[0]}_e`) => [
    `var ${name} = 0.0;`,
    // In runs of 16, whose sums are added up: errors grow more slowly.
    `for (var run = lane; run < size; run += ${16 * LANES}u) {`,
    "var some = 0.0;",
    `for (var j = run; j < min(run + ${16 * LANES}u, size); j += ${LANES}u) {`,
    "let e = start + j;",
    ELEMENT,
    `some += ${value};`,
    "}",
    `${name} += some;`,
    "}",
    "workgroupBarrier();", // the last sum has been read
    ...together(name, (a, b) => `${a} + ${b}`, { lanes: LANES, memory: "sums", subgroups }),
  ];

/** A thread for each channel `c`. */
function perChannel(s: Shape, body: readonly string[], bindings: WgslPass["bindings"]): WgslPass {
  return {
    text: eachElement(
      s.channels,
      ["let c = i;", ...body],
      [`fn sizeOf(p: u32) -> u32 { return min(${s.piece}u, ${s.count}u - p * ${s.piece}u); }`],
    ),
    bindings: [reads("scratch", "f32"), ...bindings],
    groups: groupsOf(s.channels),
  };
}

/** Over a channel's pieces `p`; `body` gets a piece's number. */
const pieces = (s: Shape, body: (n: string) => readonly string[], before: readonly string[]): string[] => [
  ...before,
  `for (var p = 0u; p < ${s.pieces}u; p++) {`,
  ...body(`c * ${s.pieces}u + p`),
  "}",
];

/** A thread for each element `i`, of channel `c`. */
function mapPass(s: Shape, views: readonly View[], body: readonly string[], more: WgslPass["bindings"]): WgslPass {
  const place = placeOf(views, s.shape, "i", "k");
  const size = sizeOf(s.shape);
  return {
    text: eachElement(size, [
      ...place.lines,
      `let c = i / ${sizeOf(s.shape.slice(2))}u % ${s.channels}u;`,
      ...body.map((line) => line.replace(/in(\d)_i/g, (_, k) => `in${k}[${place.at[k]}]`)),
    ]),
    bindings: [...readsOf(views), ...more],
    groups: groupsOf(size),
  };
}

/** x; or a gradient and x. */
const readsOf = (views: readonly View[]) =>
  views.map((_, k) => reads(`in${k}`, "f32", k < views.length - 1 ? true : undefined));
