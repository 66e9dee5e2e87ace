/** Where things lie, seen from this file in `src` and from its bundle in `dist` alike. */
import { fileURLToPath } from "node:url";

/** The repository's root. */
export const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

/** The scripts for other libraries. */
export const PEERS_DIR = fileURLToPath(new URL("../peers", import.meta.url));

/** The control in AssemblyScript. */
export const CONTROL = fileURLToPath(new URL("../control/run.mjs", import.meta.url));

/** Results that are committed. */
export const RESULTS = fileURLToPath(new URL("../results", import.meta.url));
