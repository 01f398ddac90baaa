/**
 * How many mistakes lie between two words: a letter too many, too few, another one, or two neighbours that changed
 * places (Damerau's distance, each place changed once).
 *
 * @returns `most` and one as soon as there are more than `most`
 */
export function editDistance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return most + 1;
  let beforeLast: number[] = [];
  let leastBefore = 0;
  let last = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    let least = i;
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1];
      let distance = Math.min(at(last, j) + 1, at(row, j - 1) + 1, at(last, j - 1) + (isSame ? 0 : 1));
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isSwapped) distance = Math.min(distance, at(beforeLast, j - 2) + 1);
      row.push(distance);
      least = Math.min(least, distance);
    }
    // Two letters that changed places reach back two rows.
    if (least > most && leastBefore > most) return most + 1;
    leastBefore = least;
    [beforeLast, last] = [last, row];
  }
  return Math.min(at(last, b.length), most + 1);
}

const at = (row: number[], i: number): number => row[i] ?? Infinity;
