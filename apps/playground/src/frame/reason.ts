// What is wrong, in words for people.

export function reason(error: unknown): string {
  const { name, message } = error as Partial<Error>;
  if (name === "QuotaExceededError") return "this browser has no room left for what pages keep";
  if (name === "NotAllowedError")
    return "this browser does not allow it; the lock or camera beside the address changes that";
  if (name === "NotFoundError") return "there is none";
  return message || name || `${error}`;
}
