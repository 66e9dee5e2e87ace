// The elementary functions as WGSL. WGSL's own are too coarse (a GPU's sine may be off by 2⁻¹¹) and say nothing of NaN
// and infinities. Polynomials and ideas are those of the wasm backend (its MATH.md), here in f32 throughout.

const SQRT_HALF_BITS = "0x3f3504f3";

/** Text of each function, and the functions it calls. */
const functions: Readonly<Record<string, { readonly text: string; readonly calls?: readonly string[] }>> = {
  is_nan: { text: "fn is_nan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }" },
  is_infinite: { text: "fn is_infinite(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) == 0x7f800000u; }" },
  // From bits that are a variable, as an expression the compiler can evaluate must be finite.
  infinity: { text: "fn infinity() -> f32 { var bits = 0x7f800000u; return bitcast<f32>(bits); }" },
  nan: { text: "fn nan() -> f32 { var bits = 0x7fc00000u; return bitcast<f32>(bits); }" },
  with_sign: {
    text: "fn with_sign(x: f32, s: f32) -> f32 { return bitcast<f32>((bitcast<u32>(x) & 0x7fffffffu) | (bitcast<u32>(s) & 0x80000000u)); }",
  },

  // A NaN wins; of two numbers the greater, or the smaller.
  max_f32: {
    calls: ["is_nan"],
    text: "fn max_f32(a: f32, b: f32) -> f32 { return select(b, a, a > b || is_nan(a)); }",
  },
  min_f32: {
    calls: ["is_nan"],
    text: "fn min_f32(a: f32, b: f32) -> f32 { return select(b, a, a < b || is_nan(a)); }",
  },
  nn_sign: { text: "fn nn_sign(x: f32) -> f32 { return select(select(x, -1.0, x < 0.0), 1.0, x > 0.0); }" },

  f32_to_i32: {
    calls: ["is_nan"],
    text: `fn f32_to_i32(x: f32) -> i32 {
  let near = i32(clamp(x, -2147483648.0, 2147483520.0));
  return select(select(near, 2147483647, x >= 2147483648.0), 0, is_nan(x));
}`,
  },
  f32_to_u32: {
    calls: ["is_nan"],
    text: `fn f32_to_u32(x: f32) -> u32 {
  let near = u32(clamp(x, 0.0, 4294967040.0));
  return select(select(near, 0xffffffffu, x >= 4294967296.0), 0u, is_nan(x));
}`,
  },
  // Remainders have the divisor's sign, and of a division by 0 are 0.
  mod_i32: {
    text: `fn mod_i32(a: i32, b: i32) -> i32 {
  let d = select(b, 1, b == 0 || b == -1);
  let r = a % d;
  return select(r, r + d, r != 0 && (r < 0) != (d < 0));
}`,
  },
  mod_u32: { text: "fn mod_u32(a: u32, b: u32) -> u32 { return a % select(b, 1u, b == 0u); }" },
  mod_f32: {
    calls: ["is_infinite", "nan", "with_sign"],
    text: `fn mod_f32(x: f32, y: f32) -> f32 {
  let a = abs(x);
  let b = abs(y);
  var r = fma(-trunc(a / b), b, a);
  r = select(r, r + b, r < 0.0);
  r = select(r, r - b, r >= b);
  r = with_sign(select(r, a, is_infinite(y)), x);
  r = select(r, r + y, r != 0.0 && (r < 0.0) != (y < 0.0));
  return select(r, nan(), is_infinite(x) || y == 0.0 || !(x == x) || !(y == y));
}`,
  },

  // eˣ = 2ⁿ·(1 + q): x = r + n·ln 2, and q = eʳ − 1 by a polynomial.
  split_exp: {
    text: `struct Split { q: f32, n: i32 }
fn split_exp(x: f32) -> Split {
  let n = round(x * 1.44269504);
  let r = (x - n * 0.693115234375) - n * 3.1946185e-5;
  let p = ((((2e-4 * r + 1.394e-3) * r + 8.3331e-3) * r + 4.16664e-2) * r + 0.16666667) * r + 0.5;
  return Split(p * (r * r) + r, i32(n));
}
fn power_of_2(n: i32) -> f32 { return bitcast<f32>(u32(n + 127) << 23u); }`,
  },
  // (eˣ − 1)/2ᵏ, without cancellation; eˣ/2ᵏ must be a normal number.
  growth: {
    calls: ["split_exp"],
    text: `fn growth(x: f32, k: i32) -> f32 {
  let e = split_exp(x);
  let scale = power_of_2(e.n - k);
  return scale * e.q + (scale - power_of_2(-k));
}`,
  },
  nn_exp: {
    calls: ["split_exp", "is_nan"],
    text: `fn nn_exp(x: f32) -> f32 {
  let e = split_exp(clamp(x, -125.0, 89.0));
  // In two steps, of which neither leaves the range before the result does.
  let half = e.n / 2;
  let scale = power_of_2(half);
  return select((scale * e.q + scale) * power_of_2(e.n - half), x, is_nan(x));
}`,
  },
  nn_expm1: {
    calls: ["growth", "is_nan", "with_sign"],
    text: `fn nn_expm1(x: f32) -> f32 {
  let g = growth(clamp(x, -30.0, 89.0), 1);
  return select(with_sign(g + g, x), x, is_nan(x));
}`,
  },
  nn_sigmoid: { calls: ["nn_exp"], text: "fn nn_sigmoid(x: f32) -> f32 { return 1.0 / (1.0 + nn_exp(-x)); }" },
  nn_tanh: {
    calls: ["growth", "is_nan", "with_sign"],
    text: `fn nn_tanh(x: f32) -> f32 {
  let g = growth(min(2.0 * abs(x), 80.0), 0);
  return select(with_sign(g / (g + 2.0), x), x, is_nan(x));
}`,
  },
  // With g = (eˣ − 1)/4 and w = eˣ/4, which do not overflow before the result does.
  nn_sinh: {
    calls: ["growth", "is_nan", "with_sign"],
    text: `fn nn_sinh(x: f32) -> f32 {
  let g = growth(min(abs(x), 89.7), 2);
  return select(with_sign(2.0 * (g + g / (4.0 * g + 1.0)), x), x, is_nan(x));
}`,
  },
  nn_cosh: {
    calls: ["growth", "is_nan"],
    text: `fn nn_cosh(x: f32) -> f32 {
  let w = growth(min(abs(x), 89.7), 2) + 0.25;
  return select(2.0 * w + 0.125 / w, x, is_nan(x));
}`,
  },
  // 1 − e⁻ᴿ with R = −ln erfc|x|, which is smooth.
  nn_erf: {
    calls: ["growth", "is_nan", "with_sign"],
    text: `fn nn_erf(x: f32) -> f32 {
  let a = min(abs(x), 3.95);
  let p = (((((((-9.2e-6 * a + 1.17e-4) * a - 6.3e-4) * a + 1.6609e-3) * a - 1.536e-4) * a - 1.91569e-2) * a + 0.1027788) * a
    + 0.6366193) * a + 0.12837917;
  return select(with_sign(growth(-(a * p + a), 0), x), x, is_nan(x));
}`,
  },

  // ln((1 + k)·2ᵉ) for √½ ≤ 1 + k < √2, with s = k/(2 + k).
  ln_of: {
    text: `fn ln_of(k: f32, e: f32) -> f32 {
  let s = k / (k + 2.0);
  let z = s * s;
  let less = s * (k - z * (((0.24 * z + 0.2851) * z + 0.400009) * z + 0.66666662));
  return e * 0.693115234375 + (k - (less - e * 3.1946185e-5));
}`,
  },
  nn_log: {
    calls: ["ln_of", "is_nan", "infinity", "nan"],
    text: `fn nn_log(x: f32) -> f32 {
  let tiny = x < 1.1754944e-38;
  let i = bitcast<i32>(select(x, x * 8388608.0, tiny)) - ${SQRT_HALF_BITS};
  let k = bitcast<f32>((i & 0x7fffff) + ${SQRT_HALF_BITS}) - 1.0;
  let y = ln_of(k, f32(i >> 23u) - select(0.0, 23.0, tiny));
  let finite = select(y, x, is_nan(x) || x > 3.4028234e38);
  return select(select(finite, -infinity(), x == 0.0), nan(), x < 0.0);
}`,
  },
  // Near 1 + x = 1 with k = x itself.
  nn_log1p: {
    calls: ["ln_of", "nn_log"],
    text: `fn nn_log1p(x: f32) -> f32 {
  if (abs(x) < 0.29) { return ln_of(x, 0.0); }
  return nn_log(1.0 + x);
}`,
  },
  // |x|^y = e^(y·ln|x|), the sign from odd whole exponents; powers by small whole numbers are products.
  nn_pow: {
    calls: ["nn_exp", "nn_log", "nan", "is_nan"],
    text: `fn nn_pow(x: f32, y: f32) -> f32 {
  if (y == 0.0 || x == 1.0) { return 1.0; }
  if (is_nan(x) || is_nan(y)) { return nan(); }
  if (y == 1.0) { return x; }
  if (y == 2.0) { return x * x; }
  if (y == 3.0) { return x * x * x; }
  let whole = trunc(y) == y;
  let odd = whole && abs(y) < 16777216.0 && (i32(y) & 1) == 1;
  let a = abs(x);
  let size = select(nn_exp(y * nn_log(a)), 1.0, a == 1.0);
  let power = select(size, -size, odd && (bitcast<u32>(x) >> 31u) == 1u);
  return select(power, nan(), x < 0.0 && !whole && a <= 3.4028234e38);
}`,
  },

  // x less the nearest multiple of π/2, and which one: in parts of few bits, whose products are exact up to |x| = 10⁵.
  turn: {
    text: `struct Turn { r: f32, n: i32 }
fn turn(x: f32) -> Turn {
  let n = round(x * 0.63661977);
  let r = ((x - n * 1.5703125) - n * 4.837512969970703125e-4) - n * 7.549789954891882e-8;
  return Turn(clamp(r, -0.8, 0.8), i32(clamp(n, -1e9, 1e9)));
}
fn sine(t: Turn, ahead: i32) -> f32 {
  let q = t.n + ahead;
  let z = t.r * t.r;
  let s = t.r * z * ((-1.952e-4 * z + 8.3322e-3) * z - 0.16666655) + t.r;
  let c = (((2.45e-5 * z - 1.3888e-3) * z + 4.166666e-2) * z - 0.5) * z + 1.0;
  let y = select(s, c, (q & 1) == 1);
  return select(y, -y, (q & 2) == 2);
}`,
  },
  nn_sin: /* @__PURE__ */ wave("sin", "sine(turn(x), 0)"),
  nn_cos: /* @__PURE__ */ wave("cos", "sine(turn(x), 1)"),
  nn_tan: /* @__PURE__ */ wave("tan", "sine(turn(x), 0) / sine(turn(x), 1)"),

  // asin on [0, ½] (Cephes); beyond by the half-angle formula.
  small_asin: {
    text: `fn small_asin(x: f32) -> f32 {
  let z = x * x;
  let p = (((4.2163199048e-2 * z + 2.4181311049e-2) * z + 4.5470025998e-2) * z + 7.4953002686e-2) * z + 1.6666752422e-1;
  return p * z * x + x;
}`,
  },
  nn_asin: {
    calls: ["small_asin", "with_sign", "nan"],
    text: `fn nn_asin(x: f32) -> f32 {
  let a = abs(x);
  let y = select(1.57079633 - 2.0 * small_asin(sqrt(max(0.0, 0.5 * (1.0 - a)))), small_asin(a), a <= 0.5);
  return select(nan(), with_sign(y, x), a <= 1.0);
}`,
  },
  nn_acos: {
    calls: ["small_asin", "nan"],
    text: `fn nn_acos(x: f32) -> f32 {
  let a = abs(x);
  let far = 2.0 * small_asin(sqrt(max(0.0, 0.5 * (1.0 - a))));
  let y = select(select(far, 3.14159265 - far, x < 0.0), 1.57079633 - small_asin(x), a <= 0.5);
  return select(nan(), y, a <= 1.0);
}`,
  },
  nn_atan: {
    calls: ["with_sign", "is_nan"],
    text: `fn nn_atan(x: f32) -> f32 {
  let a = abs(x);
  let t = select(a, 1.0 / max(a, 1.0), a > 1.0);
  let z = t * t;
  let p = t * (((((((((-0.0018 * z + 0.011) * z - 0.03146) * z + 0.05839) * z - 0.084398) * z + 0.109698) * z - 0.14269083) * z
    + 0.19999239) * z - 0.333333398) * z + 1.000000005);
  return select(with_sign(select(p, 1.57079633 - p, a > 1.0), x), x, is_nan(x));
}`,
  },
};

/** The text of functions and of all that they call, each before its callers. */
export function textOf(names: readonly string[]): string[] {
  const found = new Set<string>();
  const visit = (name: string) => {
    for (const inner of functions[name]!.calls ?? []) visit(inner);
    found.add(name);
  };
  for (const name of names) visit(name);
  return [...found].map((name) => functions[name]!.text);
}

function wave(name: string, value: string) {
  return {
    calls: ["turn", "is_nan", "is_infinite", "nan"],
    text: `fn nn_${name}(x: f32) -> f32 { return select(${value}, nan(), is_nan(x) || is_infinite(x)); }`,
  };
}
