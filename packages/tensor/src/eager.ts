// Eager: every op at once, as a plan of one step, cached by its signature.

import {
  bytesOf,
  type Executable,
  findKernel,
  type Kernel,
  type Layout,
  needKernel,
  type Signature,
} from "./backend.js";
import { checkDevice, getBackend } from "./current.js";
import { fail } from "./errors.js";
import { type Expr, exprKey, input, num } from "./expr.js";
import { type Interpreter, withInterpreter } from "./interpreter.js";
import { convert, type Place as PlaceOf, physicalSpec } from "./layout.js";
import { attrsKey, type OpDef, opId } from "./op.js";
import { scope } from "./scope.js";
import { arrayOf, BYTES, contiguousView, isContiguous, type Spec, sizeOf } from "./spec.js";
import { allocate, release, type Storage } from "./storage.js";
import { Tensor } from "./tensor.js";
import type { Variable } from "./variable.js";
import { expandView, viewKey } from "./view.js";

type Place = PlaceOf<Storage>;

const placeOf = (t: Tensor): Place => ({ root: t.storage, view: t.view });

/** More kernels than any model's eager step has; the oldest are forgotten first. */
const MAX_LOADED = 4096;

class Eager implements Interpreter {
  readonly #loaded = new WeakMap<object, Map<string, Executable>>();
  /** Looks at the results of every op; set by detectAnomalies. */
  inspect: ((op: string, ins: readonly Tensor[], outs: readonly Tensor[]) => void) | null = null;

  apply<A>(op: OpDef<A>, ins: readonly Tensor[], attrs: A, outs: readonly Spec[]): readonly Tensor[] {
    for (const t of ins) checkDevice(op.name, t);
    const results = this.#apply(op, ins, attrs, outs);
    this.inspect?.(op.name, ins, results);
    return results;
  }

  read(variable: Variable): Tensor {
    const { tensor, layout } = variable.held;
    if (layout === null) return tensor.alias();
    return this.unpack(tensor, layout, variable);
  }

  write(variable: Variable, value: Tensor): void {
    checkDevice("Variable", value);
    variable.hold(this.contiguous(value), null);
  }

  /** The tensor itself if it is contiguous and alone in its buffer; else a copy. */
  contiguous(t: Tensor): Tensor {
    const alone = t.view.offset === 0 && isContiguous(t.view) && t.storage.buffer.bytes === bytesOf(t);
    return alone ? t.alias() : this.copy(t);
  }

  /** A contiguous copy. */
  copy(t: Tensor): Tensor {
    const out = this.#fresh(t);
    this.#map(input(0, t.dtype), [placeOf(t)], { root: out, view: contiguousView(t) });
    return new Tensor(t, out);
  }

  /** A copy in another physical arrangement (see {@link Layout}). */
  pack(t: Tensor, layout: Layout): Tensor {
    const plain = this.contiguous(t);
    const packed = this.#convert("pack", plain, layout, t, physicalSpec(t, layout));
    plain.dispose();
    return packed;
  }

  /** The plain copy of a packed tensor. */
  unpack(packed: Tensor, layout: Layout, plain: Spec): Tensor {
    return this.#convert("unpack", packed, layout, plain, plain);
  }

  // ────────────────────────────────────────────────────────────────────────────────────────────────

  #apply<A>(op: OpDef<A>, ins: readonly Tensor[], attrs: A, outs: readonly Spec[]): readonly Tensor[] {
    if (op.view) {
      const view = op.view(ins[0]!.view, attrs);
      if (view) return [ins[0]!.alias(view)];
      const copy = this.contiguous(ins[0]!);
      const again =
        op.view(copy.view, attrs) ?? fail({ op: op.name, expected: "a view of a contiguous tensor", got: "null" });
      const result = copy.alias(again);
      copy.dispose();
      return [result];
    }
    if (op.assemble) {
      const { fill, views, accumulate } = op.assemble(ins, attrs);
      const out = this.#fresh(outs[0]!);
      const whole = contiguousView(outs[0]!);
      if (fill !== undefined) this.#map(num(fill, whole.dtype), [], { root: out, view: whole });
      ins.forEach((t, i) => {
        this.#map(input(0, t.dtype), [placeOf(t)], { root: out, view: views[i]! }, accumulate);
      });
      return [new Tensor(outs[0]!, out)];
    }
    if (op.expr) {
      const out = outs[0]!;
      const storage = this.#fresh(out);
      const places = ins.map((t) => ({ root: t.storage, view: expandView(t.view, out.shape) }));
      this.#run(
        `${opId(op)}${attrsKey(attrs, exprKey)}`,
        places,
        [{ root: storage, view: contiguousView(out) }],
        (signature) => {
          const expr = op.expr!(
            ins.map((t, i) => input(i, t.dtype)),
            attrs,
          );
          return { op: "map", signature: { ...signature, attrs: { expr } } };
        },
      );
      return [new Tensor(out, storage)];
    }
    const signature: Signature = { ins: ins.map((t) => t.view), outs: outs.map(contiguousView), attrs };
    const kernel = findKernel(getBackend(), op.name, signature);
    if (!kernel && op.lower) {
      // A result is a handle of its own, also where nothing had to be done, or is there twice: a tape tells values apart by their handles.
      return scope(() =>
        op.lower!(ins, attrs).map((t, i, all) => (ins.includes(t) || all.indexOf(t) < i ? t.alias() : t)),
      );
    }
    return this.#kernel(kernel ?? needKernel(getBackend(), op.name, signature), op, ins, attrs, outs, signature);
  }

  #kernel<A>(
    kernel: Kernel,
    op: OpDef<A>,
    ins: readonly Tensor[],
    attrs: A,
    outs: readonly Spec[],
    signature: Signature,
  ): readonly Tensor[] {
    const layouts = kernel.layouts?.(signature);
    const given = ins.map((t, i) => (layouts?.ins[i] ? this.pack(t, layouts.ins[i]!) : t));
    const places = given.map((t, i) => ({
      root: t.storage,
      view: layouts?.ins[i] ? contiguousView(ins[i]!) : t.view,
    }));
    const made = outs.map((o, i) => (layouts?.outs[i] ? physicalSpec(o, layouts.outs[i]!) : o));
    const storages = made.map((o) => this.#fresh(o));
    try {
      this.#run(
        `${opId(op)}${attrsKey(attrs, exprKey)}`,
        places,
        storages.map((root, i) => ({ root, view: contiguousView(outs[i]!) })),
        (s) => ({ op: op.name, kernel, signature: { ...s, attrs } }),
      );
    } catch (e) {
      storages.forEach(release);
      throw e;
    } finally {
      given.forEach((t, i) => {
        if (t !== ins[i]) t.dispose();
      });
    }
    return storages.map((storage, i) => {
      const t = new Tensor(made[i]!, storage);
      if (!layouts?.outs[i]) return t;
      const plain = this.unpack(t, layouts.outs[i]!, outs[i]!);
      t.dispose();
      return plain;
    });
  }

  #convert(direction: "pack" | "unpack", from: Tensor, layout: Layout, plain: Spec, to: Spec): Tensor {
    const target = this.#fresh(to);
    const middle: Storage[] = [];
    convert(direction, plain, layout, from.storage, target, {
      temporary: (spec) => middle[middle.push(this.#fresh(spec)) - 1]!,
      map: (expr, source, out) => this.#map(expr, source, out),
    });
    for (const storage of middle) release(storage);
    return new Tensor(to, target);
  }

  #map(expr: Expr, ins: readonly Place[], out: Place, accumulate?: boolean): void {
    const attrs = { expr, accumulate };
    this.#run(`map${attrsKey(attrs, exprKey)}`, ins, [out], (signature) => ({
      op: "map",
      signature: { ...signature, attrs },
    }));
  }

  /** Runs one kernel. `what` and the views are its signature; `make` is asked only for a new one. */
  #run(
    what: string,
    ins: readonly Place[],
    outs: readonly Place[],
    make: (s: Omit<Signature, "attrs">) => { op: string; signature: Signature; kernel?: Kernel },
  ): void {
    const backend = getBackend();
    let loaded = this.#loaded.get(backend);
    if (!loaded) {
      loaded = new Map();
      this.#loaded.set(backend, loaded);
    }
    const key = `${what}|${ins.map((p) => viewKey(p.view)).join(" ")}>${outs.map((p) => viewKey(p.view)).join(" ")}`;
    let executable = loaded.get(key);
    if (!executable) {
      const {
        op,
        signature,
        kernel = needKernel(backend, op, signature),
      } = make({ ins: ins.map((p) => p.view), outs: outs.map((p) => p.view) });
      const code = kernel.emit(signature);
      const step = { code, ins: ins.map((_, input) => ({ input })), outs: outs.map((_, result) => ({ result })) };
      executable = backend.load({ steps: [step], slots: [] });
      loaded.set(key, executable);
      if (loaded.size > MAX_LOADED) {
        const [oldest, old] = loaded.entries().next().value!;
        old.dispose();
        loaded.delete(oldest);
      }
    }
    executable.run(
      ins.map((p) => p.root.buffer),
      outs.map((p) => p.root.buffer),
    );
  }

  #fresh(spec: Spec): Storage {
    return allocate(getBackend(), spec);
  }
}

/** The one eager interpreter. */
export const eager = new Eager();

/** The elements in row-major order, at once. */
export function readNow(t: Tensor): Float32Array | Int32Array | Uint32Array {
  const { backend } = t.storage;
  const whole = withInterpreter(null, () => eager.contiguous(t));
  try {
    if (!backend.readSync) {
      return fail({
        op: "readSync",
        expected: "a backend whose memory is the host's own",
        got: `"${backend.name}"`,
        hint: "Use await tensor.read().",
      });
    }
    return typed(backend.readSync(whole.storage.buffer), t);
  } finally {
    whole.dispose();
  }
}

/** The elements in row-major order. */
export async function readLater(t: Tensor): Promise<Float32Array | Int32Array | Uint32Array> {
  const whole = withInterpreter(null, () => eager.contiguous(t));
  try {
    return typed(await whole.storage.backend.read(whole.storage.buffer), t);
  } finally {
    whole.dispose();
  }
}

function typed(bytes: Uint8Array, { shape, dtype }: Spec): Float32Array | Int32Array | Uint32Array {
  return new (arrayOf(dtype))(bytes.slice(0, sizeOf(shape) * BYTES).buffer);
}
