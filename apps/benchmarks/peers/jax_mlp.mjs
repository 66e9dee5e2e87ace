// One training step of a 784-256-10 perceptron in jax-js: relu, cross entropy, Adam, batch 64.
import * as C from "./common.mjs";
import { A, adam, BK, jit, LIB, nn, np, st0, tree, valueAndGrad, xent } from "./jax_common.mjs";

const forward = (p, x) => np.matmul(nn.relu(np.matmul(x, p.w1).add(p.b1)), p.w2).add(p.b2);
const step = jit((p, state, x, y) => {
  const [loss, gradients] = valueAndGrad((p, x, y) => xent(forward(p, x), y))(tree.ref(p), x, y);
  return [loss, ...adam(p, gradients, state)];
});

await C.attempt(LIB, BK, "train_mlp", async () => {
  const batch = 64;
  const x = A(C.randF(batch * 784), [batch, 784]);
  const y = nn.oneHot(np.array(C.randI(batch, 10)), 10);
  let p = {
    w1: A(C.randF(784 * 256, 0.036), [784, 256]),
    b1: A(C.randF(256, 0.036), [256]),
    w2: A(C.randF(256 * 10, 0.063), [256, 10]),
    b2: A(C.randF(10, 0.063), [10]),
  };
  let state = st0(p);
  const run = async () => {
    const [loss, nextP, nextState] = step(p, state, x.ref, y.ref);
    p = nextP;
    state = nextState;
    return (await loss.data())[0];
  };
  const first = await run();
  const m = await C.bench(run);
  C.emit(LIB, BK, "train_mlp", m, { samples_s: Math.round((batch * 1e3) / m.median) }, { loss: [first, await run()] });
});
