/** Where things lie, seen from this file in `src` and from its bundle in `dist` alike. */
import { fileURLToPath } from "node:url";

/** The repository's root. */
export const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

/** The scripts for other libraries, copied to where those are installed. */
export const PEER_SCRIPTS = fileURLToPath(new URL("../peers", import.meta.url));

/** The control in AssemblyScript. */
export const CONTROL = fileURLToPath(new URL("../control/run.mjs", import.meta.url));
