// A program that trains a small MLP with @nn/tensor alone, on the reference backend: what the size budget is for.
import { compile, Module, randn, reference, setBackend, type Tensor, Variable, valueAndGrad, zeros } from "@nn/tensor";

setBackend(reference());

class MLP extends Module {
  w1 = new Variable(randn([2, 16]));
  b1 = new Variable(zeros([16]));
  w2 = new Variable(randn([16, 1]));
  b2 = new Variable(zeros([1]));
  forward(x: Tensor): Tensor {
    const h = x.matmul(this.w1.value).add(this.b1.value).tanh();
    return h.matmul(this.w2.value).add(this.b2.value);
  }
}

const model = new MLP();
const step = compile((x: Tensor, y: Tensor) => {
  const parameters = model.parameters();
  const [loss, gradients] = valueAndGrad(() => model.forward(x).sub(y).square().mean(), parameters);
  parameters.forEach((p, i) => {
    p.value = p.value.sub(gradients[i]!.mul(0.1));
  });
  return loss;
});

const x = randn([64, 2]);
const y = x.square().sum(1, { keepDims: true });
for (let i = 0; i < 200; i++) step(x, y).dispose();
console.log(await step(x, y).item());
