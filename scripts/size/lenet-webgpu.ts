// A program that trains LeNet on WebGPU with the kernels of @nn/conv. Where it is weighed there is no GPU: a device that accepts
// everything and computes nothing stands in, so that all of it runs.
import { webgpu } from "@nn/backend-webgpu";
import { Conv2d, MaxPool2d } from "@nn/conv";
import { convKernels } from "@nn/conv/webgpu";
import { crossEntropy, Linear } from "@nn/layers";
import { Adam } from "@nn/optim";
import { compile, Module, randn, setBackend, type Tensor, tensor } from "@nn/tensor";

const nothing = (): any => idle;
const idle: any = new Proxy(nothing, {
  get: (_, name) =>
    name === "then" ? undefined : name === "getMappedRange" ? (_: number, n: number) => new ArrayBuffer(n) : idle,
});
const device: any = { features: new Set(), limits: {}, lost: new Promise(nothing), popErrorScope: async () => null };
for (const name of [
  "createBuffer",
  "createBindGroupLayout",
  "createPipelineLayout",
  "createShaderModule",
  "createComputePipeline",
])
  device[name] = nothing;
for (const name of ["createBindGroup", "createCommandEncoder", "pushErrorScope", "addEventListener"])
  device[name] = nothing;
device.queue = idle;

setBackend(await webgpu({ device, kernels: convKernels }));

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
