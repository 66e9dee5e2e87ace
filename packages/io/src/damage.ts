// Damage to files, the same for a seed: what tests of malformed input are made of. No part of the package.

/** mulberry32: whole numbers from 0 to n − 1, the same ones for a seed. */
export function dice(seed: number): (n: number) => number {
  return (n) => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * n);
  };
}

export type Dice = ReturnType<typeof dice>;

const NUMBERS = [0n, 1n, 2n, 9n, 255n, 65535n, 2n ** 31n - 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 53n - 1n, 2n ** 53n];
const TEXTS = [
  ..."0123456789,:[]{}()'\"\\ \n",
  "-1",
  "1e9",
  "null",
  "true",
  "True",
  "F64",
  "<f8",
  "__proto__",
  "\ud800",
];

/** The bytes, with some of them replaced by others. */
export function splice(bytes: Uint8Array, at: number, gone: number, added: ArrayLike<number>): Uint8Array {
  return Uint8Array.from([...bytes.subarray(0, at), ...Array.from(added), ...bytes.subarray(at + gone)]);
}

/** One fault somewhere in the bytes. */
export function damage(bytes: Uint8Array, roll: Dice): Uint8Array {
  const at = roll(bytes.length + 1);
  const copy = bytes.slice();
  switch (roll(8)) {
    case 0:
      return bytes.slice(0, at);
    case 1:
      return splice(bytes, at, roll(9), []);
    case 2:
      return splice(bytes, at, 0, bytes.subarray(roll(at + 1), at));
    case 3:
      return splice(bytes, at, 0, new Uint8Array(roll(40)));
    case 4: {
      const width = 2 ** roll(4);
      const number = BigUint64Array.of(NUMBERS[roll(NUMBERS.length)]);
      if (at + width <= bytes.length) copy.set(new Uint8Array(number.buffer, 0, width), at);
      return copy;
    }
    case 5:
      copy[at] = roll(256);
      return copy;
    default:
      copy[at] ^= 1 << roll(8);
      return copy;
  }
}

/** One fault in a text: a number or a piece of it becomes another. */
function damageText(text: string, roll: Dice): string {
  const numbers = [...text.matchAll(/\d+/g)];
  const at = roll(text.length);
  const number = numbers[roll(numbers.length)];
  if (roll(2) === 0 && number) {
    return text.slice(0, number.index) + NUMBERS[roll(NUMBERS.length)] + text.slice(number.index + number[0].length);
  }
  return text.slice(0, at) + TEXTS[roll(TEXTS.length)] + text.slice(at + roll(3));
}

/** Faults in the header, whose length is then made right, so that they are not found before it is read. */
export function damageHeader(bytes: Uint8Array, begin: number, width: number, roll: Dice): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const length = width === 2 ? view.getUint16(begin - 2, true) : view.getUint32(begin - 8, true);
  let text = new TextDecoder().decode(bytes.subarray(begin, begin + length));
  for (let n = 1 + roll(2); n > 0; n--) text = damageText(text, roll);
  const header = new TextEncoder().encode(text);
  const copy = splice(bytes, begin, length, header);
  copy.set(new Uint8Array(BigUint64Array.of(BigInt(header.length)).buffer, 0, width), begin - width);
  return copy;
}
