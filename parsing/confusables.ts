/**
 * Cyrillic and Greek letters that look like a Latin letter, and that letter. Source: confusables.txt of Unicode
 * Technical Standard 39, all single letters whose skeleton is a Latin letter, with two changes. Capital iota and
 * the Cyrillic І become I, not l, which has the same skeleton. Of the small Greek letters only omicron is listed:
 * α, γ, ν and ρ are used beside Latin letters in formulas, where readers do not confuse them.
 */
const latinOf: ReadonlyMap<string, string> = new Map(
  [
    ['асԁеһіјорԛѕѵԝху', 'acdehijopqsvwxy'],
    ['АВСЕНІЈКМОРЅТѴԜХУ', 'ABCEHIJKMOPSTVWXY'],
    ['ο', 'o'],
    ['ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ', 'ABEZHIKMNOPTYX'],
  ].flatMap(([foreign = '', latin = '']) =>
    [...foreign].map((letter, n): [string, string] => [letter, latin[n] ?? '']),
  ),
);

const greekOrCyrillic = /[\p{Script=Greek}\p{Script=Cyrillic}]/u;
const latin = /\p{Script=Latin}/gu;

/**
 * Replaces words that mix scripts and look like a Latin word (`pаypal` with a Cyrillic а) by
 * that Latin word, so that a search for it finds them. Words of one script stay, and so do
 * words with a letter that does not look Latin, because a reader sees that. Words are matched
 * up to 64 letters at a time: the regex engine's stack is too small for longer runs.
 */
export function replaceConfusables(text: string): string {
  if (!greekOrCyrillic.test(text)) return text;
  return text
    .replace(/[\p{L}\p{M}]{3,64}/gu, (word) => {
      if (!greekOrCyrillic.test(word) || (word.match(latin)?.length ?? 0) < 2) return word;
      const folded = [...word].map((letter) => latinOf.get(letter) ?? letter).join('');
      return greekOrCyrillic.test(folded) ? word : folded;
    })
    .normalize('NFC');
}
