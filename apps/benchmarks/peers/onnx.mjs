/** Writes ONNX models, as far as the workloads need it: f32 tensors, static shapes. Field numbers are those of onnx.proto3. */

const text = new TextEncoder();

/** @param {number} n */
function varint(n) {
  const bytes = [];
  for (; n >= 128; n = Math.floor(n / 128)) bytes.push((n % 128) | 128);
  return [...bytes, n];
}

/** A field: an integer, a text, or bytes. */
const field = (/** @type {number} */ number, /** @type {number | string | Uint8Array} */ value) =>
  typeof value === "number"
    ? Uint8Array.from([...varint(number * 8), ...varint(value)])
    : join([varint(number * 8 + 2), varint(value.length), typeof value === "string" ? text.encode(value) : value]);

/** @param {ArrayLike<number>[]} parts */
function join(parts) {
  const all = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

const FLOAT = 1;

/** @param {string} name @param {number[]} shape */
const value = (name, shape) => {
  const dims = join(shape.map((n) => field(1, field(1, n))));
  return join([field(1, name), field(2, field(1, join([field(1, FLOAT), field(2, dims)])))]);
};

/** An integer, or a list of them. */
const attribute = ([name, given]) =>
  Array.isArray(given)
    ? join([field(1, name), ...given.map((n) => field(8, n)), field(20, 7)])
    : join([field(1, name), field(3, given), field(20, 2)]);

/**
 * @typedef {{ op: string, ins: string[], out: string, attributes?: Record<string, number | number[]> }} Node
 * @param {{
 *   nodes: Node[],
 *   inputs: Record<string, number[]>,
 *   output: number[],
 *   weights?: Record<string, { shape: number[], values: Float32Array }>,
 * }} graph the result is called `y`
 * @returns {Uint8Array}
 */
export function onnxModel({ nodes, inputs, output, weights = {} }) {
  const graph = join([
    ...nodes.map(({ op, ins, out, attributes = {} }) =>
      field(
        1,
        join([
          ...ins.map((name) => field(1, name)),
          field(2, out),
          field(4, op),
          ...Object.entries(attributes).map((given) => field(5, attribute(given))),
        ]),
      ),
    ),
    field(2, "workload"),
    ...Object.entries(weights).map(([name, { shape, values }]) =>
      field(
        5,
        join([
          ...shape.map((n) => field(1, n)),
          field(2, FLOAT),
          field(8, name),
          field(9, new Uint8Array(values.buffer)),
        ]),
      ),
    ),
    ...Object.entries(inputs).map(([name, shape]) => field(11, value(name, shape))),
    field(12, value("y", output)),
  ]);
  return join([field(1, 8), field(8, join([field(1, ""), field(2, 17)])), field(7, graph)]);
}
