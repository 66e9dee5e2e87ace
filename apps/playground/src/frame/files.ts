// Files in and out: a place to drop them with a button beside it, and downloads.

import { h } from "./dom.js";

export interface DropOptions {
  /** What may be dropped, in words. */
  readonly text: string;
  readonly button: string;
  /** As `<input accept>` takes it. */
  readonly accept: string;
  readonly multiple?: boolean;
  take(files: readonly File[]): void;
}

export function dropZone({ text, button, accept, multiple = false, take }: DropOptions): HTMLElement {
  const input = h("input", { type: "file", accept, multiple, hidden: true, "aria-label": button });
  input.addEventListener("change", () => {
    if (input.files?.length) take([...input.files]);
    input.value = "";
  });
  const zone = h(
    "div",
    { class: "drop" },
    h("p", {}, text),
    h("button", { type: "button", onclick: () => input.click() }, button),
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
    if (event.dataTransfer?.files.length) take([...event.dataTransfer.files]);
  });
  return zone;
}

export function download(name: string, content: Uint8Array | string, type: string): void {
  const url = URL.createObjectURL(new Blob([content as BlobPart], { type }));
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

export const bytesOf = async (file: File): Promise<Uint8Array> => new Uint8Array(await file.arrayBuffer());
