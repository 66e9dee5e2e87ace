// A program that trains LeNet on WebAssembly with the kernels of @nn/conv.
import { wasm } from "@nn/backend-wasm";
import { convKernels } from "@nn/conv/wasm";
import { setBackend } from "@nn/tensor";
import { trainLeNet } from "./train-lenet.js";

setBackend(await wasm({ kernels: convKernels }));
console.log(await trainLeNet());
