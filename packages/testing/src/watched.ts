// Kernels that tell when their code is written: the proof of a test that they ran.

import type { Kernel } from "@nn/tensor";

/** The same kernels; `tell` hears of each that is asked for its code, and gets that, too. */
export const watched = <Code>(
  kernels: readonly Kernel<any, Code>[],
  tell: (kernel: Kernel<any, Code>, code: Code) => void,
): Kernel<any, Code>[] =>
  kernels.map((kernel) => ({
    ...kernel,
    emit(signature) {
      const code = kernel.emit(signature);
      tell(kernel, code);
      return code;
    },
  }));
