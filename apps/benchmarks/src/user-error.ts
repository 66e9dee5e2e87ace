/** An error that the person at the terminal can mend: a wrong option. It is printed without a stack trace. */
export class UserError extends Error {
  override readonly name = "UserError";
}
