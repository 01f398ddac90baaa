/**
 * The least whole number for which something holds that holds for every larger one, too.
 *
 * @param most a number for which it holds
 */
export function leastWhere(holds: (value: number) => boolean, most: number): number {
  let below = -1;
  let at = most;
  while (at - below > 1) {
    const middle = Math.floor((below + at) / 2);
    if (holds(middle)) at = middle;
    else below = middle;
  }
  return at;
}
