// Hooks: functions that see what goes into a module and what comes out of it, and may put something else in its place.

import { apply1 } from "./apply.js";
import { fail, insideModule, show } from "./errors.js";
import { setHooksKey } from "./interpreter.js";
import type { Module } from "./module.js";
import { defineOp } from "./op.js";
import { sameShape } from "./spec.js";
import { mapStructure } from "./structure.js";
import { Tensor } from "./tensor.js";

/** What registering a hook returns. */
export interface HookHandle {
  /** Takes the hook away. Once more does nothing. */
  remove(): void;
}

/** Called before a module's forward; what it returns, an array of arguments or the only one, is used instead. */
export type ForwardPreHook<M extends Module = Module> = (module: M, args: Parameters<M["forward"]>) => unknown;

/** Called after a module's forward; what it returns is the output instead. */
export type ForwardHook<M extends Module = Module> = (
  module: M,
  args: Parameters<M["forward"]>,
  output: ReturnType<M["forward"]>,
) => unknown;

/** Called with the gradient of a module's output; a tensor that it returns is used instead. */
export type BackwardPreHook<M extends Module = Module> = (module: M, gradient: Tensor) => Tensor | undefined;

/**
 * Calls `hook` before each forward of a module, with its arguments, as
 * [register_forward_pre_hook](https://pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.register_forward_pre_hook).
 * Hooks run in the order in which they were registered, each on what the one before returned; `undefined` and `null` change nothing.
 *
 * Inside `compile` a hook runs when the function is traced, not in each step; compiled functions are traced anew when
 * hooks come or go. What it computes becomes part of the step; what it looks at there are symbols without numbers.
 *
 * @example
 * ```ts
 * registerForwardPreHook(model.fc1, (_, [x]) => x.mul(2)); // the same as returning [x.mul(2)]
 * ```
 */
export function registerForwardPreHook<M extends Module>(module: M, hook: ForwardPreHook<M>): HookHandle {
  return register(module, ({ before }, handle) => before.set(handle, hook as ForwardPreHook));
}

/**
 * Calls `hook` after each forward of a module, with its arguments and its output, as
 * [register_forward_hook](https://pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.register_forward_hook).
 * Otherwise as {@link registerForwardPreHook}. Gradients flow through what it returns. An output that it stores belongs to the
 * scopes around: {@link keep} it, or take a copy of its numbers.
 *
 * @example
 * ```ts
 * const handle = registerForwardHook(model.conv1, (_module, _args, y) => console.log(y.shape));
 * model.forward(x);
 * handle.remove();
 * ```
 */
export function registerForwardHook<M extends Module>(module: M, hook: ForwardHook<M>): HookHandle {
  return register(module, ({ after }, handle) => after.set(handle, hook as unknown as ForwardHook));
}

/**
 * Calls `hook` with the gradient of a module's output on the way back, before those of its parts are computed, as
 * [register_full_backward_pre_hook](https://pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.register_full_backward_pre_hook);
 * of an output of several tensors, once for each that has a gradient. Otherwise as {@link registerForwardHook}.
 *
 * PyTorch's `register_full_backward_hook` has no twin: a gradient of the module's input exists here only where
 * something before it is differentiated in. {@link onGradient} on that input gives it.
 *
 * @throws {@link NNError} on the way back, if the hook returns another shape
 * @example
 * ```ts
 * registerFullBackwardPreHook(model.rnn, (_, gradient) => gradient.clamp(-1, 1));
 * ```
 */
export function registerFullBackwardPreHook<M extends Module>(module: M, hook: BackwardPreHook<M>): HookHandle {
  const watched = (v: unknown) =>
    v instanceof Tensor && v.dtype === "f32" ? onGradient(v, (gradient) => hook(module, gradient)) : v;
  return registerForwardHook(module, (_module, _args, output) => mapStructure(output, watched));
}

/**
 * The same values; on the way back `hook` is called with their gradient, and what it returns is used instead, as
 * [Tensor.register_hook](https://pytorch.org/docs/stable/generated/torch.Tensor.register_hook.html).
 *
 * @throws {@link NNError} on the way back, if the hook returns another shape
 * @example
 * ```ts
 * const h = onGradient(x.matmul(w.value).relu(), (gradient) => gradient.mul(0.5));
 * ```
 */
export function onGradient(x: Tensor, hook: (gradient: Tensor) => Tensor | undefined): Tensor {
  return apply1(onGradientOp, [x], { hook });
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

const onGradientOp = /* @__PURE__ */ defineOp<{ hook(gradient: Tensor): Tensor | undefined }>({
  name: "onGradient",
  infer: ([x]) => [x!],
  view: (of) => of,
  vjp([gradient], { attrs }) {
    const given = gradient!;
    const used = attrs.hook(given) ?? given;
    if (!sameShape(used.shape, given.shape)) {
      fail({ op: "onGradient", expected: `a gradient ${show(given.shape)}`, got: show(used.shape) });
    }
    return [used];
  },
});

interface Hooks {
  readonly before: Map<HookHandle, ForwardPreHook>;
  readonly after: Map<HookHandle, ForwardHook>;
  /** The forward without hooks, and the one that calls them. */
  readonly own: Module["forward"];
  readonly calling: Module["forward"];
}

const hooked = /* @__PURE__ */ new WeakMap<Module, Hooks>();
/** Which hooks there are: compiled functions are traced anew for another set. */
const live = /* @__PURE__ */ new Set<number>();
let last = 0;

function hooksOf(module: Module): Hooks {
  const own = module.forward;
  const before: Hooks["before"] = new Map();
  const after: Hooks["after"] = new Map();
  // As a part of the module's own forward, so that an error in a hook names the module.
  const calling: Module["forward"] = (...given) =>
    insideModule(module, () => {
      let args = given;
      for (const hook of [...before.values()]) {
        const other = hook(module, args) ?? args;
        args = (Array.isArray(other) ? other : [other]) as never[];
      }
      let output = own(...args);
      for (const hook of [...after.values()]) output = hook(module, args, output as never) ?? output;
      return output;
    });
  return { before, after, own, calling };
}

function register(module: Module, add: (to: Hooks, handle: HookHandle) => void): HookHandle {
  const hooks = hooked.get(module) ?? hooksOf(module);
  if (!hooked.has(module)) {
    hooked.set(module, hooks);
    module.forward = hooks.calling;
  }
  const id = ++last;
  const handle: HookHandle = {
    remove() {
      hooks.before.delete(handle);
      hooks.after.delete(handle);
      live.delete(id);
      setHooksKey([...live].join());
      // The last one out: unless somebody else has put another forward around it, all is as it was.
      if (hooks.before.size + hooks.after.size > 0 || module.forward !== hooks.calling) return;
      module.forward = hooks.own;
      hooked.delete(module);
    },
  };
  add(hooks, handle);
  live.add(id);
  setHooksKey([...live].join());
  return handle;
}
