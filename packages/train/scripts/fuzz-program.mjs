// One format of fuzz.mjs: reads damaged files, and prints its figures as JSON, a line now and then.

import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { loadNpy, loadNpz, loadSafetensors, parseNpy, parseNpz, parseSafetensors, saveNpz, serializeNpy, serializeSafetensors } from "@nn/io"; // biome-ignore format: a line
import { NNError, randn, reference, scope, setBackend } from "@nn/tensor";
import { gunzip, readCifar, readIdx, readWav } from "@nn/train";
import { readCsv } from "@nn/train/csv";
import { imageFolder } from "@nn/train/node";
import jpeg from "jpeg-js";
import { PNG } from "pngjs";
import { damage, damageHeader, dice } from "../../io/src/damage.js";
import { announced } from "../src/node/image-size.js";

const [format, count, seed, temp] = process.argv.slice(2);
setBackend(reference());
const roll = dice(Number(seed) * 1000 + format.length * 10 + format.charCodeAt(0));
const noise = (length) => Uint8Array.from({ length }, () => roll(256));
const text = (s) => new TextEncoder().encode(s);

/** What is read, how, its size, and whether it is right: told by other means than the reader's. */
const formats = {
  safetensors() {
    const stored = (dtype, bytes, length = 8000) => ({ dtype, shape: [length / 8, 8], data: noise(length * bytes) });
    const tensors = {
      a: stored("F32", 4),
      b: stored("F16", 2),
      c: stored("BF16", 2),
      d: stored("I32", 4),
      e: stored("F64", 8),
    };
    const files = [serializeSafetensors(tensors), serializeSafetensors({ a: stored("F32", 4, 32_000) })];
    return {
      make: () => headed(files[roll(2)], 8, 8),
      read: (file) => tensorsOf(loadSafetensors, file),
      right(file) {
        const start = 8 + new DataView(file.buffer, file.byteOffset).getUint32(0, true);
        const header = JSON.parse(new TextDecoder().decode(file.subarray(8, start)));
        return [...parseSafetensors(file).tensors].every(([name, { shape, data }]) => {
          const [from, to] = header[name].data_offsets;
          return (
            `${shape}` === `${header[name].shape}` &&
            Buffer.compare(data, file.subarray(start + from, start + to)) === 0
          );
        });
      },
    };
  },
  npy() {
    const stored = (dtype, bytes) => ({ dtype, shape: [160, 100], data: noise(16_000 * bytes) });
    const files = [serializeNpy(stored("F32", 4)), serializeNpy(stored("F64", 8)), serializeNpy(stored("I16", 2))];
    return {
      make: () => headed(files[roll(3)], 10, 2),
      read: (file) => tensorsOf((f) => ({ x: loadNpy(f) }), file),
      right(file) {
        const read = parseNpy(file);
        const again = parseNpy(serializeNpy(read));
        return `${again.shape}` === `${read.shape}` && Buffer.compare(again.data, read.data) === 0;
      },
    };
  },
  async npz() {
    const state = { a: randn([400, 250]), b: randn([10]) };
    const files = [await saveNpz(state), await saveNpz(state, { compress: true })];
    const want = parseNpz(files[0]);
    return {
      make() {
        const file = files[roll(2)];
        if (roll(2) === 0) return damage(file, roll);
        const at = file.length - 22 - roll(120); // in the directory
        return joined(file.subarray(0, at), damage(file.subarray(at), roll));
      },
      read: (file) => tensorsOf(loadNpz, file),
      right: (file) => [...parseNpz(file)].every(([k, { data }]) => Buffer.compare(data, want.get(k).data) === 0), // it has checksums
    };
  },
  idx() {
    const files = [
      joined([0, 0, 8, 3, 0, 0, 0, 100, 0, 0, 0, 28, 0, 0, 0, 28], noise(78_400)),
      joined([0, 0, 13, 2, 0, 0, 0, 100, 0, 0, 0, 100], noise(40_000)),
    ];
    return {
      make: () => begun(files[roll(2)], 16),
      read: (file) => readIdx(file),
      size: ({ data }) => (data.BYTES_PER_ELEMENT === 1 ? 0 : data.byteLength), // bytes are a view
      right(file, { shape, data }) {
        const view = new DataView(file.buffer, file.byteOffset + 4 + 4 * file[3]);
        const [name, bytes] = {
          8: ["Uint8", 1],
          9: ["Int8", 1],
          11: ["Int16", 2],
          12: ["Int32", 4],
          13: ["Float32", 4],
          14: ["Float64", 8],
        }[file[2]];
        return (
          shape.reduce((a, b) => a * b, 1) === data.length &&
          data.every((v, i) => Object.is(v, view[`get${name}`](i * bytes)))
        );
      },
    };
  },
  cifar() {
    const ten = noise(3073 * 30);
    for (let i = 0; i < 30; i++) ten[i * 3073] %= 10;
    return {
      make: () => begun(ten, 1),
      read: (file) => readCifar(file),
      size: ({ images, labels }) => images.byteLength + labels.byteLength,
      right: (file, { images, labels }) =>
        labels.every((l, i) => l < 10 && l === file[3073 * i] && images[3072 * i + 7] === file[3073 * i + 8]),
    };
  },
  wav() {
    const wav = (code, channels, bits, samples) => {
      const block = (channels * bits) / 8;
      const head = Buffer.alloc(44, "RIFF....WAVEfmt ....................data....", "latin1");
      head.writeUInt32LE(36 + samples * block, 4);
      head.writeUInt32LE(16, 16);
      head.writeUInt16LE(code, 20);
      head.writeUInt16LE(channels, 22);
      head.writeUInt32LE(8000, 24);
      head.writeUInt32LE(8000 * block, 28);
      head.writeUInt16LE(block, 32);
      head.writeUInt16LE(bits, 34);
      head.writeUInt32LE(samples * block, 40);
      return joined(head, noise(samples * block));
    };
    const files = [wav(1, 2, 16, 20_000), wav(1, 1, 24, 20_000), wav(3, 1, 32, 20_000), wav(1, 1, 8, 60_000)];
    return {
      make: () => begun(files[roll(4)], 44),
      read: (file) => readWav(file),
      size: ({ channels }) => channels.length * channels[0].byteLength,
      right: (_, { channels, sampleRate }) =>
        sampleRate > 0 &&
        channels.every((c) => c.length === channels[0].length) &&
        channels[0].length * channels.length < 2e5,
    };
  },
  csv() {
    const row = (i) => `${i},${Math.sin(i)},"${i % 7 === 0 ? 'a, ""quoted""' : "b"}",${-i / 3}\n`;
    const file = text(`i,sin,name,third\n${Array.from({ length: 1500 }, (_, i) => row(i)).join("")}`);
    return {
      make: () => (roll(2) === 0 ? damage(file, roll) : spoilt(file)),
      read(file) {
        const table = readCsv(new TextDecoder().decode(file));
        return { table, numbers: table.numbers(table.names.slice(0, 2)) };
      },
      // Text in JavaScript takes two bytes a character, if one of them is beyond Latin-1.
      size: ({ table, numbers }) => 2 * file.length + 4 * table.length * table.names.length + numbers.data.byteLength,
      right: (_, { table, numbers: { data } }) =>
        data.every((v, k) => Object.is(v, Math.fround(Number(table.row(k >> 1)[k & 1])))),
    };
  },
  gzip() {
    const content = joined(noise(200_000), new Uint8Array(200_000));
    const file = new Uint8Array(gzipSync(content));
    return {
      make: () => (roll(3) === 0 ? begun(file, 12) : damage(file, roll)),
      read: (f) => gunzip(f),
      size: (bytes) => 2 * bytes.length, // in parts, and joined
      right: (f, bytes) => Buffer.compare(bytes, content) === 0 || f.length > file.length, // it has a checksum; members may follow
    };
  },
  png() {
    const image = Object.assign(new PNG({ width: 192, height: 128 }), { data: Buffer.from(noise(192 * 128 * 4)) });
    return imagesIn("a.png", [PNG.sync.write(image), PNG.sync.write(image, { colorType: 2, bitDepth: 8 })]);
  },
  jpeg() {
    const data = Buffer.from(Uint8Array.from({ length: 192 * 128 * 4 }, (_, i) => (i % 256) / 2 + roll(60)));
    return imagesIn("a.jpg", [jpeg.encode({ width: 192, height: 128, data }, 90).data]);
  },
};

const { make, read, right, size = (n) => n, room = () => 0 } = await formats[format]();
// What the engine keeps of code that runs hot, and decoders' tables: neither depends on the file's size.
const SLACK = 2 ** 20;
const figures = { mutants: 0, errors: 0, right: 0, memory: 0, withResult: 0, longest: 0, faults: [] };
for (let i = 0; i < 20; i++)
  await Promise.resolve()
    .then(() => read(make()))
    .catch(() => {}); // what is made once
for (let i = 0; i < Number(count); i++) {
  const file = make();
  let result;
  let error;
  await cleared();
  const before = process.memoryUsage();
  const start = performance.now();
  try {
    result = await read(file);
  } catch (e) {
    error = e;
    void e.stack; // else it keeps what its frames hold
  }
  const time = performance.now() - start;
  // Buffers with those that are garbage by now, and objects that are kept; others are bounded by the process's heap.
  const buffers = process.memoryUsage().external - before.external;
  await cleared();
  const memory = Math.max(0, buffers) + Math.max(0, process.memoryUsage().heapUsed - before.heapUsed);
  figures.mutants++;
  figures.longest = Math.max(figures.longest, time);
  const both = file.length + (error ? 0 : size(result));
  if (file.length > 2 ** 15) {
    // Of small ones, the error itself is larger.
    figures.memory = Math.max(figures.memory, memory / file.length);
    figures.withResult = Math.max(figures.withResult, memory / both);
  }
  if (memory > 2 * both + room(file) + SLACK) {
    figures.faults.push(`memory: ${memory} bytes for a file of ${file.length}: ${error?.message ?? "read"}`);
  }
  if (time > 10_000) figures.faults.push(`${time} ms: ${error?.message ?? "read"}`);
  if (error) {
    if (error instanceof NNError && error.message.length < 1200) figures.errors++;
    else figures.faults.push(`${error.stack}`.slice(0, 400));
  } else if (await right(file, result)) figures.right++;
  else figures.faults.push(`mutant ${i} is read wrongly`);
  if (i % 50 === 0) console.log(JSON.stringify(figures));
}
console.log(JSON.stringify(figures));

// ───────────────────────────────────────────────────────────────────────────────────────────────────

/** All garbage is gone: the stack is empty, and a collection that was under way keeps what came meanwhile, so there are two. */
async function cleared() {
  await new Promise(setImmediate);
  gc();
  gc();
}

function joined(...parts) {
  return new Uint8Array(Buffer.concat(parts.map((p) => Uint8Array.from(p))));
}

/** Damage in the first bytes, or anywhere. */
function begun(file, length) {
  if (roll(3) === 0) return damage(file, roll);
  const copy = file.slice();
  for (let k = roll(3); k >= 0; k--) copy[roll(length)] = roll(3) === 0 ? 255 : roll(256);
  return copy;
}

/** Damage in a header whose length stands before it, or anywhere. */
function headed(file, at, width) {
  return roll(2) === 0 ? damage(file, roll) : damageHeader(file, at, width, roll);
}

/** Another character somewhere in a text. */
function spoilt(file) {
  const copy = file.slice();
  for (let k = roll(3); k >= 0; k--) copy[roll(copy.length)] = ',"\n\r\t;0x-e '.charCodeAt(roll(11));
  return copy;
}

/** Bytes of the tensors that are loaded, which are freed. */
function tensorsOf(load, file) {
  return scope(() => Object.values(load(file)).reduce((sum, t) => sum + 4 * t.size, 0));
}

/** A folder with one image. */
function imagesIn(name, buffers) {
  const files = buffers.map((buffer) => new Uint8Array(buffer)); // a slice of a Buffer is no copy
  const root = join(temp, format);
  return {
    // A JPEG file has no checksums: its tables and its size are in its first 640 bytes.
    make: () =>
      roll(3) === 0
        ? begun(files[roll(files.length)], name === "a.png" ? 40 : 640)
        : damage(files[roll(files.length)], roll),
    async read(file) {
      rmSync(root, { recursive: true, force: true });
      mkdirSync(join(root, "class"), { recursive: true });
      writeFileSync(join(root, "class", name), file);
      const { data } = await imageFolder(root);
      const [x, y] = await data.batch(Uint32Array.of(0));
      const { shape } = x;
      const values = await x.read();
      for (const t of [x, y]) t.dispose();
      return { shape, values };
    },
    // jpeg-js takes memory for what is announced before it reads it: coefficients, planes, pixels.
    room: (file) => {
      const { width = 0, height = 0 } = announced(file) ?? {};
      return name === "a.jpg" ? 40 * width * height : 0;
    },
    size: ({ values }) => 4 * values.byteLength, // four bytes a pixel, as floats three times, in a batch once more
    right: (_, { shape, values }) =>
      shape[1] === 3 && shape[2] * shape[3] * 3 === values.length && values.every((v) => v >= 0 && v <= 1),
  };
}
