// `Math.max(...numbers)` and `list.push(...items)` take each number as an argument: about 120,000 of them overflow the
// stack, which a large table has.

/** @returns -Infinity when there are none */
export function largest(numbers: Iterable<number>): number {
  let found = -Infinity;
  for (const number of numbers) if (number > found) found = number;
  return found;
}

/** @returns Infinity when there are none */
export function smallest(numbers: Iterable<number>): number {
  let found = Infinity;
  for (const number of numbers) if (number < found) found = number;
  return found;
}

/** Adds the items to the end of the list. */
export function append<T>(list: T[], items: Iterable<T>): void {
  for (const item of items) list.push(item);
}
