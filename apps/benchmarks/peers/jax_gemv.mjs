// Matrix-vector, 1024 × 1024, in jax-js.
import * as C from "./common.mjs";
import { A, BK, jit, LIB, np } from "./jax_common.mjs";

const n = 1024;
const x = A(C.randF(n), [1, n]);
const w = A(C.randF(n * n), [n, n]);
const forms = {
  gemv1024: jit((x, w) => np.matmul(x, np.transpose(w))),
  gemv1024_t: jit((x, w) => np.matmul(x, w)),
};
for (const [workload, f] of Object.entries(forms)) {
  await C.attempt(LIB, BK, workload, async () => {
    const m = await C.bench(async () => (await f(x.ref, w.ref).data())[0]);
    C.emit(LIB, BK, workload, m, { ...C.gf(2 * n * n, m), GBs: +((4 * n * n) / m.median / 1e6).toFixed(3) });
  });
}
