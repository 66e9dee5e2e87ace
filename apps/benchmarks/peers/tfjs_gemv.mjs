// Matrix-vector, 1024 × 1024, in TensorFlow.js.
import * as C from "./common.mjs";
import { BK, LIB, tf } from "./tfjs_common.mjs";

const n = 1024;
const x = tf.tensor2d(C.randF(n), [1, n]);
const w = tf.tensor2d(C.randF(n * n), [n, n]);
for (const [workload, transposed] of [
  ["gemv1024", true],
  ["gemv1024_t", false],
]) {
  await C.attempt(LIB, BK, workload, async () => {
    const m = await C.bench(() => {
      const y = tf.matMul(x, w, false, transposed);
      y.dataSync();
      y.dispose();
    });
    C.emit(LIB, BK, workload, m, { ...C.gf(2 * n * n, m), GBs: +((4 * n * n) / m.median / 1e6).toFixed(3) });
  });
}
