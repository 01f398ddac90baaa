/** Legal forms and words that a company is written with and without. */
const legalForms = new Set(
  'inc incorporated llc ltd limited plc corp corporation co company gmbh ag kg ohg ug se mbh cokg gbr ev eg sa sarl sas srl spa sl bv nv ab as oy aps pty kk the'.split(
    ' ',
  ),
);
const titles = new Set('mr mrs ms miss dr prof herr frau mme madame monsieur sir ir ing dipl'.split(' '));

/** Names are compared by so much of them, in UTF-16 code units. */
const longestName = 200;

/** The words of a text without case, accents and punctuation. Letters around an apostrophe or a dot are one word. */
export const foldWords = (text: string): string[] =>
  text
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll('ß', 'ss')
    .replaceAll('ø', 'o')
    .replaceAll('ł', 'l')
    .replaceAll(/['’.]/g, '')
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');

/** A name in any order, without titles and initials: `Lee, Dr. Ann M.` is `Ann Lee`. */
export function foldedName(name: string): string {
  const words = foldWords(name.slice(0, longestName)).filter((word) => !titles.has(word));
  const whole = words.filter((word) => [...word].length > 1);
  return (whole.length > 0 ? whole : words).sort().join(' ');
}

/** A company without its legal form: `ACME, Inc.` is `Acme`. */
export function foldedCompany(company: string): string {
  const words = foldWords(company.slice(0, longestName));
  const own = words.filter((word) => !legalForms.has(word));
  return (own.length > 0 ? own : words).join(' ');
}
