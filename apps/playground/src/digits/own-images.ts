// The visitor's own pictures, small and square, in the browser's database.

import type { Store } from "@nn/train";

export const SIDE = 48;
/** Of a picture: red, green and blue, one plane after the other. */
export const SIZE = 3 * SIDE * SIDE;

export interface OwnImages {
  readonly names: readonly string[];
  /** Class of each picture. */
  readonly labels: readonly number[];
  /** SIZE bytes each. */
  readonly pixels: Uint8Array;
}

const NAME = "own pictures";

export async function readOwn(store: Store): Promise<OwnImages> {
  const bytes = await store.read(NAME);
  if (!bytes) return { names: ["thing A", "thing B", "neither"], labels: [], pixels: new Uint8Array() };
  const end = bytes.indexOf(10);
  return { ...JSON.parse(new TextDecoder().decode(bytes.subarray(0, end))), pixels: bytes.slice(end + 1) };
}

export async function writeOwn(store: Store, { names, labels, pixels }: OwnImages): Promise<void> {
  const head = new TextEncoder().encode(`${JSON.stringify({ names, labels })}\n`);
  const bytes = new Uint8Array(head.length + pixels.length);
  bytes.set(head);
  bytes.set(pixels, head.length);
  await store.write(NAME, bytes);
}

/** The same and more pictures of one class. */
export function withPictures(own: OwnImages, label: number, pictures: readonly Uint8Array[]): OwnImages {
  const pixels = new Uint8Array(own.pixels.length + pictures.length * SIZE);
  pixels.set(own.pixels);
  for (const [i, picture] of pictures.entries()) pixels.set(picture, own.pixels.length + i * SIZE);
  return { ...own, labels: [...own.labels, ...pictures.map(() => label)], pixels };
}

export async function readPicture(file: File): Promise<Uint8Array> {
  try {
    return shrink(await createImageBitmap(file));
  } catch {
    throw new Error(`${file.name} is no picture that this browser can read.`);
  }
}

/** The middle square of a picture or of what a camera sees. */
export function shrink(source: HTMLVideoElement | ImageBitmap): Uint8Array {
  const [width, height] =
    source instanceof HTMLVideoElement ? [source.videoWidth, source.videoHeight] : [source.width, source.height];
  const side = Math.min(width, height);
  const canvas = new OffscreenCanvas(SIDE, SIDE);
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  context.imageSmoothingQuality = "high";
  context.drawImage(source, (width - side) / 2, (height - side) / 2, side, side, 0, 0, SIDE, SIDE);
  const { data } = context.getImageData(0, 0, SIDE, SIDE);
  return Uint8Array.from({ length: SIZE }, (_, k) => data[4 * (k % (SIDE * SIDE)) + Math.floor(k / (SIDE * SIDE))]);
}
