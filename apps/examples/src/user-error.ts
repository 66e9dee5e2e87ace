/**
 * An error that the person at the terminal can mend: a wrong option, a broken file. Its message is
 * one paragraph in plain words, and the CLI prints it without a stack trace. Anything else that is
 * thrown is a bug of ours, and keeps its stack.
 */
export class UserError extends Error {
  override readonly name = "UserError";
}

// ---------------------------------------------------------------------------------------------

/** The part of a system error that a person can use: "EACCES: permission denied, open 'x'" → "permission denied". */
export function reason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/^[A-Z]+: /, "").replace(/, \w+ '.*$/, "");
}

/** The code of a Node system error ("ENOENT"), or undefined. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error ? String(error.code) : undefined;
}
