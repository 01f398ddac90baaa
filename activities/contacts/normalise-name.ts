/** Parts of names that begin with a small letter inside a name. */
const particles = new Set(
  'de la las los le du des da das do dos di del della van der den ten ter von zu zum bin ibn al el y e'.split(' '),
);

/** A name without needless spaces. One that is all in capitals or all in small letters is written as names are. */
export function normaliseName(text: string): string {
  const name = text.replaceAll(/\s+/g, ' ').trim();
  if (name !== name.toUpperCase() && name !== name.toLowerCase()) return name;
  // Scripts without capitals stay as they are, and so do initials like JP.
  if (name.toUpperCase() === name.toLowerCase() || (name.length <= 2 && name === name.toUpperCase())) return name;
  return name
    .toLowerCase()
    .split(' ')
    .map((word, n) => (n > 0 && particles.has(word) ? word : capitalise(word)))
    .join(' ');
}

const capitalise = (word: string) =>
  word.replaceAll(/(^|[-'’.])(\p{L})/gu, (_, before: string, letter: string) => before + letter.toUpperCase());

/** A whole name. `Lee, Ann` names both parts; other names are not taken apart, as no rule holds for all of them. */
export function splitName(text: string): { name: string; firstName: string | null; lastName: string | null } {
  const [last, first, ...more] = text.split(',').map((part) => part.trim());
  if (!last || !first || more.length > 0) return { name: normaliseName(text), firstName: null, lastName: null };
  const [firstName, lastName] = [normaliseName(first), normaliseName(last)];
  return { name: `${firstName} ${lastName}`, firstName, lastName };
}
