// One training step of a 784-256-10 perceptron in TensorFlow.js: relu, cross entropy, Adam, batch 64.
import * as C from "./common.mjs";
import { BK, LIB, tf } from "./tfjs_common.mjs";

await C.attempt(LIB, BK, "train_mlp", async () => {
  const batch = 64;
  const net = tf.sequential();
  net.add(tf.layers.dense({ units: 256, activation: "relu", inputShape: [784] }));
  net.add(tf.layers.dense({ units: 10 }));
  const optimizer = tf.train.adam(1e-3);
  const x = tf.tensor2d(C.randF(batch * 784), [batch, 784]);
  const y = tf.oneHot(tf.tensor1d(C.randI(batch, 10), "int32"), 10);
  const step = () => {
    const loss = optimizer.minimize(() => tf.losses.softmaxCrossEntropy(y, net.apply(x, { training: true })), true);
    const value = loss.dataSync()[0];
    loss.dispose();
    return value;
  };
  const first = step();
  const m = await C.bench(step);
  C.emit(LIB, BK, "train_mlp", m, { samples_s: Math.round((batch * 1e3) / m.median) }, { loss: [first, step()] });
});
