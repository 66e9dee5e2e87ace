/** The confusion matrix of digits, as text. */

/** How often each digit was taken for each, as a table with head. */
export function confusion(labels: Int32Array, decisions: Int32Array): string[][] {
  const digits = Array.from({ length: 10 }, (_, digit) => digit);
  const count = (said: number, heard: number): number =>
    labels.reduce((sum, label, i) => sum + Number(label === said && decisions[i] === heard), 0);
  return [
    ["", ...digits.map(String)],
    ...digits.map((said) => [`${said}`, ...digits.map((heard) => `${count(said, heard) || "·"}`)]),
  ];
}
