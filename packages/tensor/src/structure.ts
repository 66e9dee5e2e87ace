// Structures: what functions of tensors take and return, in arrays and plain objects.

/** The same structure with other leaves: whatever is neither an array nor a plain object. */
export function mapStructure(value: unknown, leaf: (v: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map((v) => mapStructure(v, leaf));
  if (value !== null && typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype) {
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, mapStructure(v, leaf)]));
  }
  return leaf(value);
}
