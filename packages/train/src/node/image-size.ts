// What the header of an image announces. Decoders take memory for it at once; a small file can announce anything.

/** More than cameras have; also the limit of jpeg-js. */
const MOST_PIXELS = 1e8;

/** What is wrong with the announced size; null if the file may hold so much. */
export function excess(file: Uint8Array): string | null {
  const size = announced(file);
  if (!size) return null; // the decoder says what else is wrong
  const { width, height, least } = size;
  if (width * height > MOST_PIXELS) return `${width} × ${height} pixels, more than ${MOST_PIXELS}`;
  if (least > file.length) return `${width} × ${height} pixels in ${file.length} bytes`;
  return null;
}

/** The size that a PNG or JPEG file announces; null if it is neither. */
export function announced(file: Uint8Array): Size | null {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  return file[0] === 0x89 ? ofPng(view) : ofJpeg(view);
}

// ───────────────────────────────────────────────────────────────────────────────────────────────────

interface Size {
  readonly width: number;
  readonly height: number;
  /** The fewest bytes in which they can be. */
  readonly least: number;
}

/** IHDR comes first. Deflate makes nothing smaller than by 1032 to 1. */
function ofPng(view: DataView): Size | null {
  if (view.byteLength < 26) return null;
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  const samples = [1, 0, 3, 1, 2, 0, 4][view.getUint8(25)] ?? 0;
  return { width, height, least: (height * Math.ceil((width * samples * view.getUint8(24)) / 8)) / 1032 };
}

/** The frame header is the first of the segments C0 to CF but C4, C8 and CC. A block of 8 × 8 takes a bit at least; two where it is not progressive (C2). */
function ofJpeg(view: DataView): Size | null {
  for (let at = 2; at + 9 <= view.byteLength && view.getUint8(at) === 0xff; at += 2 + view.getUint16(at + 2)) {
    const marker = view.getUint8(at + 1);
    if (marker < 0xc0 || marker > 0xcf || [0xc4, 0xc8, 0xcc].includes(marker)) continue;
    const [height, width] = [view.getUint16(at + 5), view.getUint16(at + 7)];
    return { width, height, least: ((width * height) / 64 / 8) * (marker === 0xc2 ? 1 : 2) };
  }
  return null;
}
