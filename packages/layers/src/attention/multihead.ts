// MultiheadAttention: several attentions side by side, each in a projection of its own.

import { cat, fail, Module, pad, scope, show, split, type Tensor, type Variable, zeros } from "@nn/tensor";
import { checkCount, checkProbability } from "../check.js";
import { xavierBound, xavierNormal } from "../init.js";
import { Linear } from "../linear.js";
import { parameter, uniformParameter } from "../parameter.js";
import { attend, causalMask, inverted } from "./attend.js";

/** Options of {@link MultiheadAttention}. */
export interface MultiheadAttentionOptions {
  /** Probability that a weight is dropped in training (default 0). */
  readonly dropout?: number;
  /** Whether the projections have biases (default true). */
  readonly bias?: boolean;
  /** Whether a learned key and value follow the others (default false). */
  readonly addBiasKv?: boolean;
  /** Whether a key and a value of zeros follow the others (default false). */
  readonly addZeroAttn?: boolean;
  /** Features of the keys (default embedDim). */
  readonly kdim?: number;
  /** Features of the values (default embedDim). */
  readonly vdim?: number;
  /** Inputs and output are (N, L, E), not (L, N, E) (default false). */
  readonly batchFirst?: boolean;
}

/** Options of a call of {@link MultiheadAttention}. */
export interface MultiheadForwardOptions {
  /** (N, S), or (S) without a batch: bool, true where a key is padding and ignored; or f32, added to the scores. */
  readonly keyPaddingMask?: Tensor;
  /** (L, S) or (N · numHeads, L, S): bool, true where a query may not see a key; or f32, added to the scores. */
  readonly attnMask?: Tensor;
  /** Whether to return the weights (default true). */
  readonly needWeights?: boolean;
  /** Whether the weights are the mean over the heads (default true). */
  readonly averageAttnWeights?: boolean;
  /** Whether query i sees only keys 0 to i (default false); needs no attnMask. */
  readonly isCausal?: boolean;
}

/**
 * Multi-head attention (Vaswani et al., 2017), as
 * [torch.nn.MultiheadAttention](https://pytorch.org/docs/stable/generated/torch.nn.MultiheadAttention.html).
 * A query that may see no key takes nothing (PyTorch gives NaN).
 *
 * State: `in_proj_weight` (3E, E), or with kdim or vdim `q_proj_weight` (E, E), `k_proj_weight` (E, kdim),
 * `v_proj_weight` (E, vdim), Xavier uniform; `in_proj_bias` (3E) 0; `out_proj.weight` (E, E) as Linear, `out_proj.bias`
 * 0; with addBiasKv `bias_k`, `bias_v` (1, 1, E) Xavier normal.
 *
 * @example
 * ```ts
 * const attention = new MultiheadAttention(64, 8, { batchFirst: true });
 * const { output, weights } = attention.forward(x); // x (N, L, 64): of itself; (N, L, 64) and (N, L, L)
 * attention.forward(decoded, encoded, encoded, { keyPaddingMask });
 * ```
 */
export class MultiheadAttention extends Module {
  readonly in_proj_weight: Variable | null = null;
  readonly q_proj_weight: Variable | null = null;
  readonly k_proj_weight: Variable | null = null;
  readonly v_proj_weight: Variable | null = null;
  readonly in_proj_bias: Variable | null;
  readonly bias_k: Variable | null;
  readonly bias_v: Variable | null;
  readonly out_proj: Linear;
  readonly dropout: number;
  readonly addZeroAttn: boolean;
  readonly kdim: number;
  readonly vdim: number;
  readonly batchFirst: boolean;

  /** @throws if a size is not a whole number ≥ 1, numHeads does not divide embedDim, or dropout is not from 0 to 1 */
  constructor(
    readonly embedDim: number,
    readonly numHeads: number,
    options: MultiheadAttentionOptions = {},
  ) {
    super();
    const { dropout = 0, bias = true, kdim = embedDim, vdim = embedDim } = options;
    const op = "MultiheadAttention";
    for (const [name, n] of Object.entries({ embedDim, numHeads, kdim, vdim })) checkCount(op, name, n);
    if (embedDim % numHeads !== 0)
      fail({ op, expected: `numHeads that divides embedDim ${embedDim}`, got: `${numHeads}` });
    this.dropout = checkProbability(op, "dropout", dropout);
    this.addZeroAttn = options.addZeroAttn ?? false;
    this.batchFirst = options.batchFirst ?? false;
    this.kdim = kdim;
    this.vdim = vdim;
    const projection = (out: number, size: number) => uniformParameter([out, size], xavierBound([out, size]));
    if (kdim === embedDim && vdim === embedDim) this.in_proj_weight = projection(3 * embedDim, embedDim);
    else {
      this.q_proj_weight = projection(embedDim, embedDim);
      this.k_proj_weight = projection(embedDim, kdim);
      this.v_proj_weight = projection(embedDim, vdim);
    }
    this.in_proj_bias = bias ? parameter(() => zeros([3 * embedDim])) : null;
    const extra = () => (options.addBiasKv ? parameter(() => xavierNormal([1, 1, embedDim])) : null);
    this.bias_k = extra();
    this.bias_v = extra();
    this.out_proj = new Linear(embedDim, embedDim, { bias });
    const after = this.out_proj.bias;
    if (after) scope(() => (after.value = zeros([embedDim])));
  }

  /**
   * @param query (L, N, E), (N, L, E) with batchFirst, or (L, E) without a batch
   * @param key (S, N, kdim) and so on (default: query)
   * @param value (S, N, vdim) and so on (default: key)
   * @returns `output`, shaped as query, and `weights` (N, L, S), or (N, numHeads, L, S) if they are not averaged, without
   *   N if query has none, or null if they are not needed. What addBiasKv and addZeroAttn add counts among the S keys
   * @throws if shapes or dtypes do not fit
   */
  override forward(
    query: Tensor,
    key: Tensor = query,
    value: Tensor = key,
    options: MultiheadForwardOptions = {},
  ): { output: Tensor; weights: Tensor | null } {
    this.#check(query, key, value);
    const { keyPaddingMask, attnMask, needWeights = true, averageAttnWeights = true, isCausal = false } = options;
    const { numHeads: heads, embedDim, batchFirst } = this;
    return scope(() => {
      const batched = query.rank === 3;
      const parts = this.#project(query, key, value).map((t) => {
        const whole = batched ? t : t.unsqueeze(batchFirst ? 0 : 1);
        const apart = whole.reshape([...whole.shape.slice(0, 2), heads, -1]);
        return batchFirst ? apart.transpose(1, 2) : apart.permute([1, 2, 0, 3]);
      });
      const q = parts[0].mul(Math.sqrt(heads / embedDim)); // (N, heads, L, D); the others (N, heads, S, D)
      const [rows, , queries] = q.shape;
      const keys = parts[1].shape[2];
      const extras = [this.#extra(this.bias_k, this.bias_v), this.addZeroAttn ? [null, null] : null].filter((e) => !!e);
      const [k, v] = [0, 1].map((i) => {
        const more = extras.map((e) => (e[i] ?? zeros([1, heads, 1, embedDim / heads])).expand([rows, heads, 1, -1]));
        return more.length > 0 ? cat([parts[i + 1], ...more], 2) : parts[i + 1];
      });
      const masks = [
        keyPaddingMask ? inverted(this.#mask("keyPaddingMask", keyPaddingMask, [batched ? rows : null, keys])) : null,
        attnMask ? inverted(this.#mask("attnMask", attnMask, [rows * heads, queries, keys])) : null,
        isCausal ? causalMask(queries, keys) : null,
      ].map((m, i) => {
        if (!m) return null;
        const apart =
          i === 0 ? m.reshape([-1, 1, 1, keys]) : m.rank === 3 ? m.reshape([rows, heads, queries, keys]) : m;
        // Everybody sees what was added.
        return extras.length > 0 ? pad(apart, [[0, extras.length]], { value: m.dtype === "bool" ? 1 : 0 }) : apart;
      });
      const { output, weights } = attend(OP, q.matmul(k.transpose()), v, masks, this.training ? this.dropout : 0);
      const joined = batchFirst ? output.transpose(1, 2) : output.permute([2, 0, 1, 3]);
      const y = this.out_proj.forward(joined.reshape([...joined.shape.slice(0, 2), embedDim]));
      const shown = needWeights ? (averageAttnWeights ? weights.mean(1) : weights) : null;
      return batched
        ? { output: y, weights: shown }
        : { output: y.squeeze(batchFirst ? 0 : 1), weights: shown?.squeeze(0) ?? null };
    });
  }

  /** The three inputs in E features. */
  #project(...inputs: readonly [Tensor, Tensor, Tensor]): readonly Tensor[] {
    const weight = this.in_proj_weight?.value;
    const bias = this.in_proj_bias?.value;
    const apply = (x: Tensor, w: Tensor, b: Tensor | undefined) => {
      const y = x.matmul(w.transpose());
      return b ? y.add(b) : y;
    };
    // Attention of x to itself is one product.
    if (weight && inputs.every((x) => x === inputs[0])) return split(apply(inputs[0], weight, bias), this.embedDim, -1);
    const weights = weight
      ? split(weight, this.embedDim)
      : [this.q_proj_weight, this.k_proj_weight, this.v_proj_weight].map((w) => w!.value);
    const biases = bias ? split(bias, this.embedDim) : [];
    return inputs.map((x, i) => apply(x, weights[i], biases[i]));
  }

  /** A learned key and value, by heads. */
  #extra(...pair: readonly (Variable | null)[]): (Tensor | null)[] | null {
    const { numHeads, embedDim } = this;
    return pair[0] ? pair.map((b) => b!.value.reshape([1, numHeads, 1, embedDim / numHeads])) : null;
  }

  #check(query: Tensor, key: Tensor, value: Tensor): void {
    const { embedDim, kdim, vdim, batchFirst } = this;
    const [a, b] = query.rank === 2 ? ["L", "S"] : batchFirst ? ["N, L", "N, S"] : ["L, N", "S, N"];
    const rows = batchFirst ? 0 : 1;
    const fits =
      [query, key, value].every(
        (t, i) =>
          (t.rank === 2 || t.rank === 3) &&
          t.rank === query.rank &&
          t.shape.at(-1) === [embedDim, kdim, vdim][i] &&
          (t.rank === 2 || t.shape[rows] === query.shape[rows]),
      ) && show(key.shape.slice(0, -1)) === show(value.shape.slice(0, -1));
    if (fits) return;
    fail({
      op: OP,
      expected: `query (${a}, ${embedDim}), key (${b}, ${kdim}) and value (${b}, ${vdim})`,
      got: [query, key, value].map((t) => show(t.shape)).join(", "),
      hint: `The layer is ${batchFirst ? "" : "not "}batchFirst.`,
    });
  }

  /** A mask of the given shape (no axis where null); the first axis of three may be missing. */
  #mask(name: string, mask: Tensor, shape: readonly (number | null)[]): Tensor {
    const wanted = shape.filter((d) => d !== null);
    const shapes = [wanted, ...(wanted.length === 3 ? [wanted.slice(1)] : [])].map(show);
    if (shapes.includes(show(mask.shape))) return mask;
    return fail({ op: OP, expected: `${name} ${shapes.join(" or ")}`, got: show(mask.shape) });
  }
}

const OP = "multiheadAttention";
