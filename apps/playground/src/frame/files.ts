// Files in and out: a place to drop them with a button beside it, and downloads.

import { h } from "./dom.js";
import { reason } from "./reason.js";

export interface DropOptions {
  /** What may be dropped, in words. */
  readonly text: string;
  readonly button: string;
  /** The button's name where its text is not enough. */
  readonly label?: string;
  /** As `<input accept>` takes it. */
  readonly accept: string;
  readonly multiple?: boolean;
  /** What it throws is told by `say`. */
  take(files: readonly File[]): unknown;
  say(message: string, wrong: boolean): void;
}

export function dropZone({
  text,
  button,
  label = button,
  accept,
  multiple = false,
  take,
  say,
}: DropOptions): HTMLElement {
  const taken = async (files: Iterable<File>) => {
    try {
      await take([...files]);
    } catch (error) {
      say(reason(error), true);
    }
  };
  const input = h("input", { type: "file", accept, multiple, hidden: true, "aria-label": label });
  input.addEventListener("change", () => {
    if (input.files?.length) void taken(input.files);
    input.value = "";
  });
  const zone = h(
    "div",
    { class: "drop" },
    h("p", {}, text),
    h("button", { type: "button", "aria-label": label, onclick: () => input.click() }, button),
    input,
  );
  zone.addEventListener("dragover", (event) => {
    event.preventDefault();
    zone.classList.add("over");
  });
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    if (event.dataTransfer?.files.length) void taken(event.dataTransfer.files);
  });
  return zone;
}

export function download(name: string, content: Uint8Array | string, type: string): void {
  const url = URL.createObjectURL(new Blob([content as BlobPart], { type }));
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

export const bytesOf = async (file: File): Promise<Uint8Array> => new Uint8Array(await file.arrayBuffer());

/** What `read` makes of a file; what is wrong with it is said with its name. */
export async function readAs<T>(what: string, file: File, read: (bytes: Uint8Array) => T | Promise<T>): Promise<T> {
  try {
    return await read(await bytesOf(file));
  } catch (error) {
    throw new Error(`${file.name} is no ${what}: ${reason(error)}`);
  }
}
