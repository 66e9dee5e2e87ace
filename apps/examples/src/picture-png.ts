/** Pictures as PNG files: grey images side by side, boxes and labels on them. The letters are 3×5 pixels, large enough when enlarged. */
import { writeFileSync } from "node:fs";
import { PNG } from "pngjs";
import { reason, UserError } from "./user-error.js";

/** Red, green, blue, 0 to 255. */
export type Color = readonly [red: number, green: number, blue: number];

export const WHITE: Color = [255, 255, 255];
export const BLACK: Color = [20, 20, 24];
export const GREEN: Color = [70, 200, 110];
export const RED: Color = [240, 80, 70];
export const BLUE: Color = [80, 150, 255];

/** 0 (black) to 1 (white). */
export const grey = (value: number): Color => {
  const level = Math.round(255 * Math.min(1, Math.max(0, value)));
  return [level, level, level];
};

/** Dark violet over red to yellow for 0 to 1, even in lightness: what spectrograms are drawn with. */
export const heat = (value: number): Color => {
  const at = Math.min(1, Math.max(0, value)) * (HEAT.length - 1);
  const [from, to] = [HEAT[Math.floor(at)], HEAT[Math.ceil(at)]];
  return [0, 1, 2].map((i) => Math.round(from[i] + (at % 1) * (to[i] - from[i]))) as unknown as Color;
};

/** A sheet to draw on; what lies outside of it is left out. */
export class Picture {
  private readonly png: PNG;

  constructor(
    readonly width: number,
    readonly height: number,
    background: Color = WHITE,
  ) {
    this.png = new PNG({ width, height });
    this.fill(0, 0, width, height, background);
  }

  /** A filled rectangle. */
  fill(x: number, y: number, width: number, height: number, [red, green, blue]: Color): void {
    const { data } = this.png;
    for (let row = Math.max(0, y); row < Math.min(this.height, y + height); row++) {
      for (let column = Math.max(0, x); column < Math.min(this.width, x + width); column++) {
        data.set([red, green, blue, 255], 4 * (row * this.width + column));
      }
    }
  }

  /** Values row by row, `columns` to a row, as squares of `scale` pixels; the top left corner at (x, y). */
  image(
    values: ArrayLike<number>,
    columns: number,
    { x, y, scale, color = grey }: { x: number; y: number; scale: number; color?: (value: number, i: number) => Color },
  ): void {
    for (let i = 0; i < values.length; i++) {
      const [column, row] = [i % columns, Math.floor(i / columns)];
      this.fill(x + scale * column, y + scale * row, scale, scale, color(values[i], i));
    }
  }

  /** The outline of a rectangle, `line` pixels wide, inside of it. */
  box(x: number, y: number, width: number, height: number, color: Color, line = 2): void {
    this.fill(x, y, width, line, color);
    this.fill(x, y + height - line, width, line, color);
    this.fill(x, y, line, height, color);
    this.fill(x + width - line, y, line, height, color);
  }

  /** Capitals, digits and a few signs, each dot `scale` pixels. Returns the width. */
  text(
    x: number,
    y: number,
    words: string,
    { color = BLACK, scale = 2 }: { color?: Color; scale?: number } = {},
  ): number {
    [...words.toUpperCase()].forEach((letter, at) => {
      [...(LETTERS[letter] ?? LETTERS["?"])].forEach((dots, row) => {
        for (const column of [0, 1, 2]) {
          if ((Number(dots) >> (2 - column)) & 1)
            this.fill(x + scale * (4 * at + column), y + scale * row, scale, scale, color);
        }
      });
    });
    return scale * 4 * words.length;
  }

  /** @throws UserError where it cannot be written */
  save(file: string): void {
    try {
      writeFileSync(file, PNG.sync.write(this.png));
    } catch (error) {
      throw new UserError(`${file}: it could not be written (${reason(error)}). Choose another folder with --out.`);
    }
  }
}

// ---------------------------------------------------------------------------------------------

/** Six of the colours of matplotlib's "inferno". */
const HEAT: readonly Color[] = [
  [0, 0, 4],
  [66, 10, 104],
  [147, 38, 103],
  [221, 81, 58],
  [252, 165, 10],
  [252, 255, 164],
];

/** Five rows of three dots, each row an octal digit. */
const LETTERS: Readonly<Record<string, string>> = {
  ...{ " ": "00000", "?": "71202", ".": "00002", "-": "00700", "%": "51245", "/": "11244", ":": "02020", "=": "07070" },
  ...{ "0": "75557", "1": "26227", "2": "71747", "3": "71717", "4": "55711", "5": "74717", "6": "74757", "7": "71122" },
  ...{ "8": "75757", "9": "75717", A: "25755", B: "65656", C: "34443", D: "65556", E: "74647", F: "74644", G: "34553" },
  ...{ H: "55755", I: "72227", J: "11152", K: "55655", L: "44447", M: "57755", N: "65555", O: "25552", P: "65644" },
  ...{ Q: "25573", R: "65655", S: "34216", T: "72222", U: "55557", V: "55552", W: "55775", X: "55255", Y: "55222" },
  ...{ Z: "71247", "(": "12221", ")": "42224", ",": "00024", "+": "02720" },
};
