// The constant pool: 16-byte constants at fixed addresses of linear memory, each kept once.

import type { ConstantPool } from "./build.js";

/** A pool in bytes `start … end` of memory; `write` puts a constant there. */
export function makePool(
  start: number,
  end: number,
  write: (address: number, lanes: readonly number[]) => void,
): ConstantPool {
  const known = new Map<string, number>();
  let next = start;
  return {
    address(lanes) {
      const key = lanes.join();
      let address = known.get(key);
      if (address === undefined && next + 16 <= end) {
        address = next;
        next += 16;
        known.set(key, address);
        write(address, lanes);
      }
      return address;
    },
  };
}
