// Networks out as safetensors files, and in again.

import { h } from "./dom.js";
import { bytesOf, download, dropZone } from "./files.js";
import type { Lane } from "./lane.js";
import { reason } from "./reason.js";
import { type Maker, makerOf, misfit } from "./saved.js";

export interface ModelFileOptions {
  /** Begins the ids of the elements. */
  readonly id?: string;
  /** The runs that there are; starts them if need be. */
  lanes(): readonly Lane[] | Promise<readonly Lane[]>;
  maker(lane: Lane): Maker;
  /** A setting's name on the page. */
  label?(setting: string): string;
  say(message: string, wrong?: boolean): void;
  /** The lane has the weights of a file, and says so. */
  loaded(lane: Lane, made: Maker | null): unknown;
}

/** A button, and a place to drop a file. */
export function modelFiles(options: ModelFileOptions): { save: HTMLButtonElement; load: HTMLElement } {
  const { id = "", say, maker, label = (name) => name } = options;
  const save = h("button", { type: "button", id: `${id}save` }, "Save model");
  save.addEventListener("click", async () => {
    const lanes = await options.lanes();
    for (const lane of lanes) {
      const made = maker(lane);
      const bytes = await lane.ask<Uint8Array>("file", JSON.stringify(made));
      if (bytes) download(`${made.page}-${lane.name}.safetensors`, bytes, "application/octet-stream");
    }
    if (lanes.length > 0) say("Saved as safetensors; PyTorch reads the file, too.");
    else say("There is no network to save yet.", true);
  });
  const take = async ([file]: readonly File[]) => {
    const bytes = await bytesOf(file);
    const made = makerOf(bytes);
    const lanes = await options.lanes();
    const lane =
      lanes.find(({ name }) => name === made?.lane) ?? lanes.find(({ name }) => file.name.includes(name)) ?? lanes[0];
    if (!lane) throw new Error("There is no network to load it into: press Try again first.");
    try {
      await lane.ask("load", bytes);
    } catch (error) {
      throw new Error(`${file.name} does not fit here: ${misfit(made, maker(lane), label) ?? reason(error)}`);
    }
    await lane.ask("save");
    await options.loaded(lane, made);
    say(`The weights are those of ${file.name}.`);
  };
  const text = "A saved model (safetensors)";
  return { save, load: dropZone({ text, button: "Load model", accept: ".safetensors", take, say }) };
}
