import fc from "fast-check";
import { expect, it } from "vitest";
import { assignSlots } from "./slots.js";

const lives = fc
  .tuple(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 5 }))
  .map(([words, from, length]) => ({ bytes: 4 * words, from, to: from + length }));

it("gives values that live at the same time buffers of their own, large enough", () => {
  fc.assert(
    fc.property(fc.array(lives), (slots) => {
      const { of, bytes } = assignSlots(slots);
      slots.forEach((a, i) => {
        expect(bytes[of[i]!]).toBeGreaterThanOrEqual(a.bytes);
        slots.slice(0, i).forEach((b, j) => {
          if (of[i] === of[j]) expect(a.from > b.to || b.from > a.to).toBe(true);
        });
      });
      expect(bytes.reduce((x, y) => x + y, 0)).toBeLessThanOrEqual(slots.reduce((sum, s) => sum + s.bytes, 0));
    }),
  );
});

it("lets a chain of equal values go through two buffers", () => {
  const slots = Array.from({ length: 10 }, (_, i) => ({ bytes: 64, from: i, to: i + 1 }));
  expect(assignSlots(slots).bytes).toEqual([64, 64]);
});
