// The control: the f32 GEMM microkernel, 6 rows × 8 columns, and a whole product around it, in AssemblyScript. Not TypeScript.
//
// Panels: A is cut into panels 6 rows high (at the end of a block also 4), stored column by column; B into panels 8
// columns wide, stored row by row. So a step of k reads 6 + 8 numbers that lie together, and does 48 multiplications
// and additions on 12 accumulators, which with the two vectors of B and one of A fit x86's 16 vector registers.

/** Rows of A and steps of k in a block: 96 kB, for the second-level cache. */
const MC: i32 = 96;
const KC: i32 = 256;

/** Multiplies and adds; with relaxed SIMD in one instruction, rounded once where the processor can. */
function fma(a: v128, b: v128, c: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? f32x4.relaxed_madd(a, b, c) : f32x4.add(f32x4.mul(a, b), c);
}

/** Writes 8 columns of one row; `more` adds to what is there. */
function row(c: usize, left: v128, right: v128, more: bool): void {
  v128.store(c, more ? f32x4.add(left, v128.load(c)) : left);
  v128.store(c, more ? f32x4.add(right, v128.load(c, 16)) : right, 16);
}

/** c (6 × 8, rows `stride` bytes apart) = or += panel a · panel b, over k steps. */
function tile6(a: usize, b: usize, c: usize, stride: usize, k: i32, more: bool): void {
  let l0 = f32x4.splat(0);
  let l1 = l0;
  let l2 = l0;
  let l3 = l0;
  let l4 = l0;
  let l5 = l0;
  let r0 = l0;
  let r1 = l0;
  let r2 = l0;
  let r3 = l0;
  let r4 = l0;
  let r5 = l0;
  do {
    const left = v128.load(b);
    const right = v128.load(b, 16);
    let x = v128.load32_splat(a);
    l0 = fma(x, left, l0);
    r0 = fma(x, right, r0);
    x = v128.load32_splat(a, 4);
    l1 = fma(x, left, l1);
    r1 = fma(x, right, r1);
    x = v128.load32_splat(a, 8);
    l2 = fma(x, left, l2);
    r2 = fma(x, right, r2);
    x = v128.load32_splat(a, 12);
    l3 = fma(x, left, l3);
    r3 = fma(x, right, r3);
    x = v128.load32_splat(a, 16);
    l4 = fma(x, left, l4);
    r4 = fma(x, right, r4);
    x = v128.load32_splat(a, 20);
    l5 = fma(x, left, l5);
    r5 = fma(x, right, r5);
    a += 24;
    b += 32;
  } while (--k);
  row(c, l0, r0, more);
  row((c += stride), l1, r1, more);
  row((c += stride), l2, r2, more);
  row((c += stride), l3, r3, more);
  row((c += stride), l4, r4, more);
  row((c += stride), l5, r5, more);
}

/** The same for a panel 4 rows high. */
function tile4(a: usize, b: usize, c: usize, stride: usize, k: i32, more: bool): void {
  let l0 = f32x4.splat(0);
  let l1 = l0;
  let l2 = l0;
  let l3 = l0;
  let r0 = l0;
  let r1 = l0;
  let r2 = l0;
  let r3 = l0;
  do {
    const left = v128.load(b);
    const right = v128.load(b, 16);
    let x = v128.load32_splat(a);
    l0 = fma(x, left, l0);
    r0 = fma(x, right, r0);
    x = v128.load32_splat(a, 4);
    l1 = fma(x, left, l1);
    r1 = fma(x, right, r1);
    x = v128.load32_splat(a, 8);
    l2 = fma(x, left, l2);
    r2 = fma(x, right, r2);
    x = v128.load32_splat(a, 12);
    l3 = fma(x, left, l3);
    r3 = fma(x, right, r3);
    a += 16;
    b += 32;
  } while (--k);
  row(c, l0, r0, more);
  row((c += stride), l1, r1, more);
  row((c += stride), l2, r2, more);
  row((c += stride), l3, r3, more);
}

/** How high the next panel is, of `rest` rows (an even number ≥ 4): 6 as long as that leaves no 2. */
function height(rest: i32): i32 {
  return rest >= 6 && rest !== 8 ? 6 : 4;
}

/** Packs k rows of b (`stride` bytes apart, n columns) into panels. */
function packB(b: usize, to: usize, k: i32, n: i32, stride: usize): void {
  for (let j = 0; j < n; j += 8) {
    let from = b + 4 * <usize>j;
    for (let i = 0; i < k; i++) {
      v128.store(to, v128.load(from));
      v128.store(to, v128.load(from, 16), 16);
      from += stride;
      to += 32;
    }
  }
}

/** Packs m rows of a (`stride` bytes apart, k columns) into panels. */
function packA(a: usize, to: usize, m: i32, k: i32, stride: usize): void {
  for (let i = 0; i < m; ) {
    const rows = height(m - i);
    for (let x = 0; x < k; x++) {
      let from = a + 4 * <usize>x;
      for (let r = 0; r < rows; r++) {
        f32.store(to, f32.load(from));
        from += stride;
        to += 4;
      }
    }
    a += <usize>rows * stride;
    i += rows;
  }
}

/** A block of c: the packed A against one panel of B. */
function column(a: usize, b: usize, c: usize, stride: usize, m: i32, k: i32, more: bool): void {
  for (let i = 0; i < m; ) {
    const rows = height(m - i);
    if (rows === 6) tile6(a, b, c, stride, k, more);
    else tile4(a, b, c, stride, k, more);
    a += 4 * <usize>(rows * k);
    c += <usize>rows * stride;
    i += rows;
  }
}

/**
 * c (m, n) = a (m, k) · b (k, n), rows of plain numbers. m even and not 2, n a multiple of 8.
 * Room for panels: `panelsA` MC · KC numbers, `panelsB` KC · n.
 */
export function gemm(a: usize, b: usize, c: usize, m: i32, n: i32, k: i32, panelsA: usize, panelsB: usize): void {
  const strideA = 4 * <usize>k;
  const strideB = 4 * <usize>n;
  for (let k0 = 0; k0 < k; k0 += KC) {
    const kc = min(KC, k - k0);
    packB(b + <usize>k0 * strideB, panelsB, kc, n, strideB);
    for (let m0 = 0; m0 < m; m0 += MC) {
      const mc = min(MC, m - m0);
      packA(a + <usize>m0 * strideA + 4 * <usize>k0, panelsA, mc, kc, strideA);
      for (let j = 0; j < n; j += 8) {
        const panel = panelsB + 4 * <usize>(j * kc);
        column(panelsA, panel, c + <usize>m0 * strideB + 4 * <usize>j, strideB, mc, kc, k0 > 0);
      }
    }
  }
}

/** The microkernel alone, `times` over: one panel of each, which stay in the first-level cache. */
export function peak(a: usize, b: usize, c: usize, k: i32, times: i32): void {
  for (let i = 0; i < times; i++) tile6(a, b, c, 32, k, false);
}
