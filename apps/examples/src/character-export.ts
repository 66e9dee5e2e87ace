/** The file from which `scripts/charlm_torch.py` trains the same network in PyTorch. */
import { writeFileSync } from "node:fs";
import { saveNpz } from "@nn/io";
import { tensor } from "@nn/tensor";
import type { CharacterLM } from "./character-lm.js";
import { ROWS, type Text } from "./character-text.js";
import { reason, UserError } from "./user-error.js";

/** All that PyTorch needs to train the same: the parameters by their names, `text`, `places` (steps, rows). */
export async function exportAll(file: string, model: CharacterLM, text: Text, places: Int32Array): Promise<void> {
  const whole = new Int32Array(text.training.length + text.test.length);
  whole.set(text.training);
  whole.set(text.test, text.training.length);
  const bytes = await saveNpz({
    ...model.stateDict(),
    text: tensor(whole),
    places: tensor(places, { shape: [places.length / ROWS, ROWS] }),
  });
  try {
    writeFileSync(file, bytes);
  } catch (error) {
    throw new UserError(`${file}: it could not be written (${reason(error)}). Choose another file with --export.`);
  }
}
