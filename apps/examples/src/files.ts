/** Reading files that a person named: whatever is wrong with one is a `UserError` that names it and says what to do. */
import { readFileSync, statSync } from "node:fs";
import { errorCode, reason, UserError } from "./user-error.js";

/** What came in place of what was expected, and what to do about it. Clauses without a full stop. */
export interface Complaint {
  readonly got: string;
  readonly expected: string;
  readonly hint: string;
}

/** @throws UserError always */
export function wrong(file: string, { got, expected, hint }: Complaint): never {
  throw new UserError(`${file}: ${got}; expected ${expected}. ${hint}.`);
}

export function requireFolder(folder: string, rest: Omit<Complaint, "got">): void {
  const stat = statSync(folder, { throwIfNoEntry: false });
  if (!stat?.isDirectory()) wrong(folder, { got: stat ? "it is a file" : "there is no such folder", ...rest });
}

export function readBytes(file: string, rest: Omit<Complaint, "got">): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    const code = errorCode(error);
    const known: Record<string, string> = { ENOENT: "there is no such file", EISDIR: "it is a folder" };
    return wrong(file, { got: known[code ?? ""] ?? `it cannot be read (${reason(error)})`, ...rest });
  }
}
