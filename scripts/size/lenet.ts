// A program that trains LeNet, as the README shows it, on WebAssembly with the kernels of @nn/conv.
import { wasm } from "@nn/backend-wasm";
import { Conv2d, MaxPool2d } from "@nn/conv";
import { convKernels } from "@nn/conv/wasm";
import { crossEntropy, Linear } from "@nn/layers";
import { Adam } from "@nn/optim";
import { compile, Module, randn, setBackend, type Tensor, tensor } from "@nn/tensor";

setBackend(await wasm({ kernels: convKernels }));

class LeNet extends Module {
  conv1 = new Conv2d(1, 16, 3, { padding: 1 });
  conv2 = new Conv2d(16, 32, 3, { padding: 1 });
  pool = new MaxPool2d(2);
  fc1 = new Linear(32 * 7 * 7, 128);
  fc2 = new Linear(128, 10);
  forward(x: Tensor): Tensor {
    x = this.pool.forward(this.conv1.forward(x).relu()); // (N, 16, 14, 14)
    x = this.pool.forward(this.conv2.forward(x).relu()); // (N, 32, 7, 7)
    return this.fc2.forward(this.fc1.forward(x.flatten(1)).relu());
  }
}

const model = new LeNet();
const optimizer = new Adam(model.parameters(), { lr: 1e-3 });
const step = compile((x: Tensor, y: Tensor) => optimizer.minimize(() => crossEntropy(model.forward(x), y)));

const x = randn([8, 1, 28, 28]);
const y = tensor([0, 1, 2, 3, 4, 5, 6, 7], { dtype: "i32" });
for (let i = 0; i < 3; i++) step(x, y).dispose();
console.log(await step(x, y).item());
