/**
 * A name in the form in which names are compared: lower case, without accents, punctuation and what stands in
 * parentheses.
 */
export const plainName = (text: string): string =>
  text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
    .replaceAll('ß', 'ss')
    .replaceAll('&', ' and ')
    .replace(/\([^)]*\)/g, ' ')
    .replace(/[^\p{L}\p{N}%#]+/gu, ' ')
    .trim();

/** The same with what stands in parentheses, for names that differ by it alone. */
export const wholeName = (text: string): string => plainName(text.replace(/[()]/g, ' '));

/** Words of a company's form, which one and the same supplier is written with and without. */
const legalForms =
  /\b(?:inc|incorporated|corp|corporation|co|company|llc|llp|lp|ltd|limited|plc|pty|pte|gmbh|ag|kg|kgaa|ohg|ug|se|sa|sas|sarl|srl|spa|bv|nv|oy|ab|aps|as|kk|pvt|private|and)\b/g;

/** The name of a supplier or customer, without its legal form. */
export function partyName(text: string): string {
  // "G.m.b.H." and "S.A." are one word each.
  const plain = plainName(text.replace(/(?<=\b\p{L})\.(?=\s?\p{L}\b\.?)/gu, ''));
  const bare = plain.replace(legalForms, ' ').replace(/\s+/g, ' ').trim();
  return bare === '' ? plain : bare;
}
