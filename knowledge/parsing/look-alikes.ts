/**
 * Cyrillic and Greek letters that are drawn like a Latin one, and that letter. Source: confusables.txt of Unicode
 * Technical Standard 39, the single letters whose skeleton is a Latin letter, with two changes. Capital iota and І stand for
 * I, not for l, whose skeleton is the same. Small Greek letters are left out but for omicron: α, γ, ν and ρ stand beside
 * Latin ones in formulas and are not mistaken.
 */
const latinOf: ReadonlyMap<string, string> = new Map(
  [
    ['асԁеһіјорԛѕѵԝху', 'acdehijopqsvwxy'],
    ['АВСЕНІЈКМОРЅТѴԜХУ', 'ABCEHIJKMOPSTVWXY'],
    ['ο', 'o'],
    ['ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ', 'ABEZHIKMNOPTYX'],
  ].flatMap(([theirs = '', latin = '']) => [...theirs].map((letter, n): [string, string] => [letter, latin[n] ?? ''])),
);

const greekOrCyrillic = /[\p{Script=Greek}\p{Script=Cyrillic}]/u;
const latin = /\p{Script=Latin}/gu;

/**
 * A word that mixes scripts so that it passes for a Latin one (`pаypal` with a Cyrillic а) becomes that Latin word. It
 * looks the same to a reader, and is found by whoever types it. Words of one script are left alone, and so is a word in
 * which any letter could not be a Latin one: that one is meant, or at least seen. (64 letters at a time: a longer run is no
 * word, and the engine has no stack for it.)
 */
export function withoutLookAlikes(text: string): string {
  if (!greekOrCyrillic.test(text)) return text;
  return text
    .replace(/[\p{L}\p{M}]{3,64}/gu, (word) => {
      if (!greekOrCyrillic.test(word) || (word.match(latin)?.length ?? 0) < 2) return word;
      const folded = [...word].map((letter) => latinOf.get(letter) ?? letter).join('');
      return greekOrCyrillic.test(folded) ? word : folded;
    })
    .normalize('NFC');
}
