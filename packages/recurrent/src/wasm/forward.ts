// The way there: for every step and a few units at a time the product of the state before with W_hh, then, while that is
// in the first-level cache, the gates and the new state.

import { COLUMNS, elementAt, i32, type Local, phase, type Value, type WasmCode } from "@nn/backend-wasm";
import type { Signature, View } from "@nn/tensor";
import type { LoopAttrs } from "../loop.js";
import { BLOCK, COST, copyRow, copyRows, eachBlock, GATE_COST, indices, PART, rowAt, timeOf } from "./common.js";
import { clearEnds, eachSlot, gatherRows, tableBytes, tablePhases, updateActive } from "./lengths.js";
import { type Operand, type Units, writePass } from "./pass.js";
import {
  FEW,
  type Groups,
  groupCount,
  groupSize,
  type Product,
  packGroups,
  writeProduct,
  writeRows,
} from "./product.js";

/** Steps, of all rows together, up to which W_hh stays packed from run to run: a stream has one. */
const BRIEF = 16;

/** What a kind of loop is to the kernel. */
export interface Cell {
  readonly name: string;
  readonly gates: number;
  /** Units of a group: their gates fill whole tiles; and for a few rows, as many as sums fit into registers. */
  readonly units: readonly [many: number, few: number];
  /** States are the inputs from 1 on, and the outputs from 1 on; h is the first. */
  readonly states: readonly string[];
  /** Index of W_hh among the inputs. */
  readonly weight: number;
  /** Further inputs by index, and the outputs after the states. */
  readonly ins: Readonly<Record<number, string>>;
  readonly outs: readonly string[];
  /**
   * The new states of four units, from the `sums` of the product (a gate's are `sums(gate)`). `before` is h before the step, `y` where it goes;
   * other states are overwritten.
   */
  step(at: Units, sums: readonly Local[]): void;
}

export function forward(signature: Signature<LoopAttrs>, cell: Cell): WasmCode {
  const { ins, outs, attrs } = signature;
  const [steps, rows, width] = ins[0]!.shape as [number, number, number];
  const weight = ins[cell.weight]!;
  const size = width / cell.gates;
  const few = rows <= FEW;
  const units = cell.units[few ? 1 : 0];
  const columns = few ? units * cell.gates : COLUMNS;
  const groups: Groups = { gates: cell.gates, size, units, columns };
  const wide = units * cell.gates;
  const cost = steps * rows * size * (cell.gates * (size * COST + GATE_COST) + GATE_COST);
  const count = groupCount(groups);
  // Where packing would be much of the work, and nothing else lies beside what is packed.
  const brief = steps * rows <= BRIEF && !attrs.lengths;
  // Rows of sums; a page apart they would all lie in the same few lines of the cache.
  const pitch = count * wide + 16;
  const product: Product = { rows, some: attrs.lengths, k: size, lda: size, ldc: pitch };
  const sums: View = { shape: [BLOCK, pitch], strides: [pitch, 1], offset: 0, dtype: "f32" };
  const panelBytes = 4 * count * groupSize(groups);
  const sumBytes = 4 * pitch * Math.min(rows, BLOCK);
  const hBytes = 4 * size * Math.min(rows, BLOCK);
  return {
    name: `${cell.name} ${steps}×${rows}×${size}`,
    shared: panelBytes + tableBytes(signature),
    scratch: sumBytes + (attrs.lengths ? 2 * hBytes : 0),
    write: (m) => [
      ...tablePhases(m, signature, panelBytes),
      {
        ...phase(m, `${cell.name} pack`, signature, 0.3 * width * size, ({ f, ins: at, shared, from, to }) => {
          packGroups(m, f, groups, f.let(elementAt(at[cell.weight]!, weight.offset)), shared, [from, to]);
          return count;
        }),
        ...(brief ? { keeps: cell.weight } : {}),
      },
      phase(m, cell.name, signature, cost, (p) => {
        const { f } = p;
        const inputs = Object.entries(cell.ins).flatMap(([i, name]) =>
          ins[+i] ? [{ name, view: ins[+i]!, base: p.ins[+i]! }] : [],
        );
        const names = ["y", ...cell.states, ...cell.outs];
        const outputs = outs.map((view, i) => ({ name: names[i]!, view, base: p.outs[i]! }));
        const walked = [...inputs, ...outputs];
        const operands: Operand[] = [
          { name: "sums", view: sums, group: wide, dense: true },
          { name: "before", view: outs[1]!, dense: true },
          ...(attrs.lengths ? [{ name: "y", view: outs[1]!, dense: true }] : []),
          ...walked,
        ];
        const pass = writePass(
          m,
          `${cell.name} gates`,
          operands,
          size,
          units,
          (at) =>
            cell.step(
              at,
              indices(cell.gates).map((g) => at.load("sums", g * units)),
            ),
          attrs.lengths ? { reverse: attrs.reverse, first: undefined } : undefined,
        );
        const multiply = few ? writeRows(m, product, wide) : writeProduct(m, product);
        const back = attrs.reverse ? -1 : 1;
        const move = (now: readonly Local[]) => {
          walked.forEach(({ view }, i) => {
            f.step(now[i]!, 4 * back * timeOf(view));
          });
        };
        /** One step of `n` rows, whose states before are at `h`. */
        const step = (
          n: Local,
          h: Local,
          dense: readonly Local[],
          now: readonly Local[],
          slots: readonly Value[] = [],
        ) => {
          const [panel, sums] = [f.let(p.shared), f.let(p.scratch)];
          f.repeat((count * wide) / columns, () => {
            f.call(multiply, h, panel, sums, n);
            f.step(panel, 4 * columns * size);
            f.step(sums, 4 * columns);
          });
          f.call(pass, n, ...slots, p.scratch, h, ...dense, ...now);
        };
        const place = (k: number) => [p.ins[1 + k]!, ins[1 + k]!, p.outs[1 + k]!, outs[1 + k]!] as const;
        eachBlock(f, rows, p.from, p.to, (first, n) => {
          if (attrs.lengths) {
            // States h before and after in scratch; the other states are where they belong.
            const table = f.let(i32.add(i32.add(p.shared, panelBytes), i32.mul(first, 8)));
            const [h, next] = [0, 1].map((i) => f.let(i32.add(p.scratch, sumBytes + i * hBytes))) as [Local, Local];
            for (const to of [h, next]) gatherRows(f, p.ins[1]!, ins[1]!, to, table, n);
            eachSlot(f, table, n, (slot) => {
              for (const k of indices(cell.states.length).slice(1)) {
                const [from, view, to, state] = place(k);
                const row = f.let(i32.load(slot));
                copyRow(f, rowAt(f, from, view, row), view, rowAt(f, to, state, row));
              }
            });
            outs.forEach((view, i) => {
              if (timeOf(view)) clearEnds(f, p.outs[i]!, view, table, n);
            });
            const zero = f.let(0);
            const now = walked.map(({ base, view }) => rowAt(f, base, view, zero, attrs.reverse));
            const active = attrs.reverse ? f.let(0) : f.let(n);
            const t = f.let(attrs.reverse ? steps - 1 : 0);
            const other = f.let(0);
            f.repeat(steps, () => {
              updateActive(f, active, table, n, t, attrs.reverse);
              f.if(active, () => step(active, h, [next], now, [table, i32.add(t, 1)]));
              f.set(other, h);
              f.set(h, next);
              f.set(next, other);
              move(now);
              f.step(t, back);
            });
            // h is the output at a row's last step.
            eachSlot(f, table, n, (slot) => {
              const [row, length] = [f.let(i32.load(slot)), f.let(i32.load(slot, 4))];
              const [from, view, to, state] = place(0);
              const target = rowAt(f, to, state, row);
              f.if(
                length,
                () => {
                  const y = outs[0]!;
                  const last = attrs.reverse ? 0 : i32.mul(i32.sub(length, 1), 4 * timeOf(y));
                  copyRow(f, i32.add(rowAt(f, p.outs[0]!, y, row), last), state, target);
                },
                () => copyRow(f, rowAt(f, from, view, row), view, target),
              );
            });
            return;
          }
          // The final states are where the states live meanwhile; h only before the first step.
          cell.states.forEach((_, k) => {
            const [from, view, to, state] = place(k);
            copyRows(f, rowAt(f, from, view, first), view, rowAt(f, to, state, first), n);
          });
          const now = walked.map(({ base, view }) => rowAt(f, base, view, first, attrs.reverse));
          const h = f.let(now[inputs.length + 1]!);
          f.repeat(steps, () => {
            step(n, h, [], now);
            f.set(h, now[inputs.length]!);
            move(now);
          });
          copyRows(f, h, outs[1]!, now[inputs.length + 1]!, n);
        });
        return Math.ceil(rows / PART);
      }),
    ],
  };
}
