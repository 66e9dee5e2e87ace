// The way back: for every step one pass over the gates, which gives their gradients, then the product of these with W_hh,
// which gives that of the state before. The gradients of the weights are products over all steps, and not made here.

import {
  COLUMNS,
  eachPanel,
  elementAt,
  type Func,
  i32,
  type Local,
  phase,
  type WasmCode,
  writePack,
} from "@nn/backend-wasm";
import { contiguousView, type Signature, type View } from "@nn/tensor";
import type { LoopAttrs } from "../loop.js";
import { BLOCK, COST, copyRow, copyRows, eachBlock, GATE_COST, PART, rowAt, timeOf } from "./common.js";
import { clearEnds, eachSlot, gatherRows, tableBytes, tablePhases, updateActive } from "./lengths.js";
import { type Operand, type Units, writePass } from "./pass.js";
import { writeProduct } from "./product.js";

/** What a kind of loop is to the kernel. */
export interface CellGrad {
  readonly name: string;
  readonly gates: number;
  /** Inputs by index, and the outputs; the last of these are the gradients of the states, first that of h: `dh`. */
  readonly ins: Readonly<Record<number, string>>;
  readonly outs: readonly string[];
  /** Indices of the gradients of the final states among the inputs, and of W_hh. */
  readonly states: readonly number[];
  readonly weight: number;
  /** `before` is an operand at the step before, which at the first one is an input. */
  readonly before?: { readonly of: string; readonly first: number };
  /** The output that is multiplied with W_hh. */
  readonly product: string;
  /** Whether the step leaves in `dh` what the product is added to. */
  readonly adds?: boolean;
  step(at: Units): void;
}

export function backward(signature: Signature<LoopAttrs>, cell: CellGrad): WasmCode {
  const { ins, outs, attrs } = signature;
  const [steps, rows] = ins[0]!.shape as [number, number];
  const weight = ins[cell.weight]!;
  const size = weight.shape[1]!;
  const k = cell.gates * size;
  const panels = Math.ceil(size / COLUMNS);
  const { before } = cell;
  const states = cell.outs.length - cell.states.length;
  const panelBytes = 4 * panels * COLUMNS * k;
  const [startBytes, leftBytes, dhBytes] = [before ? size : 0, k, size].map((n) => 4 * Math.min(rows, BLOCK) * n) as [
    number,
    number,
    number,
  ];
  return {
    name: `${cell.name} ${steps}×${rows}×${size}`,
    shared: panelBytes + tableBytes(signature),
    scratch: startBytes + (attrs.lengths ? leftBytes + dhBytes : 0),
    write: (m) => [
      ...tablePhases(m, signature, panelBytes),
      phase(m, `${cell.name} pack`, signature, 0.1 * k * size, ({ f, ins: at, shared, from, to }) => {
        const source = elementAt(at[cell.weight]!, weight.offset);
        eachPanel(f, size, [from, to], (j, present) => {
          const pack = writePack(m, { width: COLUMNS, present, kStride: size, stride: 1 });
          f.call(pack, elementAt(source, j, COLUMNS), elementAt(shared, j, COLUMNS * k), k);
        });
        return panels;
      }),
      phase(m, cell.name, signature, steps * rows * size * cell.gates * (size * COST + GATE_COST), (p) => {
        const { f } = p;
        const inputs = Object.entries(cell.ins).map(([i, name]) => ({ name, view: ins[+i]!, base: p.ins[+i]! }));
        const walked = [...inputs, ...outs.map((view, i) => ({ name: cell.outs[i]!, view, base: p.outs[i]! }))];
        const find = (name: string) => walked.findIndex((o) => o.name === name);
        const of = before ? find(before.of) : -1;
        // In slots, what is multiplied and what comes of it is one behind the other.
        const own: Operand[] = attrs.lengths
          ? [
              { name: cell.product, view: rowsOf(k), dense: true },
              { name: "dh", view: rowsOf(size), dense: true },
            ]
          : [];
        const operands: Operand[] = [
          ...own,
          ...walked.map((o) => ({ ...o, name: attrs.lengths && o.name === "dh" ? "dh0" : o.name })),
          ...(before ? [{ name: "before", view: rowsOf(size), dense: true }] : []),
          ...(before && attrs.lengths ? [{ name: "later", view: walked[of]!.view }] : []),
        ];
        const first = before ? (["before", "later"] as const) : undefined;
        const slotted = attrs.lengths ? { reverse: attrs.reverse, first } : undefined;
        const pass = writePass(m, `${cell.name} gates`, operands, size, size, cell.step, slotted);
        const products = new Map<number, Func>();
        const productOf = (columns: number) => {
          const shape = { rows, some: attrs.lengths, k, lda: k, ldc: size, adds: !!cell.adds };
          const known = products.get(columns) ?? writeProduct(m, shape, columns);
          products.set(columns, known);
          return known;
        };
        const multiply = (from: Local, to: Local, n: Local) =>
          eachPanel(f, size, [0, panels], (j, columns) =>
            f.call(productOf(columns), from, elementAt(p.shared, j, COLUMNS * k), elementAt(to, j, COLUMNS), n),
          );
        const steppings = walked.map(({ view }) => (attrs.reverse ? timeOf(view) : -timeOf(view)));
        const move = (now: readonly Local[]) => {
          now.forEach((q, i) => {
            f.step(q, 4 * steppings[i]!);
          });
        };
        eachBlock(f, rows, p.from, p.to, (first, n) => {
          const start = before && ins[before.first]!;
          if (attrs.lengths) {
            const table = f.let(i32.add(i32.add(p.shared, panelBytes), i32.mul(first, 8)));
            const [left, dh] = [
              f.let(i32.add(p.scratch, startBytes)),
              f.let(i32.add(p.scratch, startBytes + leftBytes)),
            ];
            gatherRows(f, p.ins[cell.states[0]!]!, ins[cell.states[0]!]!, dh, table, n);
            if (start) gatherRows(f, p.ins[before.first]!, start, p.scratch, table, n);
            eachSlot(f, table, n, (slot) => {
              for (const [i, at] of cell.states.entries()) {
                if (i === 0) continue;
                const row = f.let(i32.load(slot));
                const to = rowAt(f, p.outs[states + i]!, outs[states + i]!, row);
                copyRow(f, rowAt(f, p.ins[at]!, ins[at]!, row), ins[at]!, to);
              }
            });
            outs.forEach((view, i) => {
              if (timeOf(view)) clearEnds(f, p.outs[i]!, view, table, n);
            });
            const zero = f.let(0);
            const now = walked.map(({ base, view }) => rowAt(f, base, view, zero, !attrs.reverse));
            const active = attrs.reverse ? f.let(n) : f.let(0);
            const t = f.let(attrs.reverse ? 0 : steps - 1);
            f.repeat(steps, () => {
              updateActive(f, active, table, n, t, !attrs.reverse);
              f.if(active, () => {
                const later = before ? [p.scratch, elementAt(now[of]!, steppings[of]!)] : [];
                f.call(pass, active, table, i32.add(t, 1), left, dh, ...now, ...later);
                multiply(left, dh, active);
              });
              move(now);
              f.step(t, attrs.reverse ? 1 : -1);
            });
            eachSlot(f, table, n, (slot, i) => {
              const view = outs[states]!;
              copyRow(f, elementAt(dh, i, size), view, rowAt(f, p.outs[states]!, view, f.let(i32.load(slot))));
            });
            return;
          }
          // The gradients of the first states are where those of the states live meanwhile.
          cell.states.forEach((at, i) => {
            const to = rowAt(f, p.outs[states + i]!, outs[states + i]!, first);
            copyRows(f, rowAt(f, p.ins[at]!, ins[at]!, first), ins[at]!, to, n);
          });
          if (start) copyRows(f, rowAt(f, p.ins[before.first]!, start, first), start, p.scratch, n);
          const now = walked.map(({ base, view }) => rowAt(f, base, view, first, !attrs.reverse));
          const left = f.let(steps);
          f.doWhile(() => {
            f.set(left, i32.sub(left, 1));
            const earlier = before ? [i32.select(elementAt(now[of]!, steppings[of]!), p.scratch, left)] : [];
            f.call(pass, n, ...now, ...earlier);
            multiply(now[find(cell.product)]!, now[find("dh")]!, n);
            move(now);
            return left;
          });
        });
        return Math.ceil(rows / PART);
      }),
    ],
  };
}

/** Rows of a block, one behind the other. */
const rowsOf = (size: number): View => contiguousView({ shape: [BLOCK, size], dtype: "f32" });
