// One thing after the other: for stores whose writes must not run beside each other.

import { fail } from "@nn/tensor";

/** Gives a function that does what it is given when all before is done, well or badly. */
export function inTurn(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const result = last.then(work);
    last = result.catch(() => {});
    return result;
  };
}

/** `name.safetensors`, if that is a file's name everywhere. */
export function checkpointFile(op: string, name: string): string {
  if (/^[\w][\w.-]*$/.test(name)) return `${name}.safetensors`;
  return fail({
    op,
    expected: "names of letters, digits, dots, dashes and underscores",
    got: JSON.stringify(name),
  });
}
