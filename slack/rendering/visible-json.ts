import type { JsonValue } from '../../contract/json.ts';

/** Characters that are not seen, or that change the order of those that are. */
const unseen = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/gu;

const escaped = (character: string): string =>
  [...Array(character.length).keys()]
    .map((at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`)
    .join('');

/** JSON in which a person sees every character that counts. It is JSON of the same value. */
export const visibleJson = (value: JsonValue): string =>
  JSON.stringify(value, null, 2).replace(unseen, (character) => (character === '\n' ? character : escaped(character)));
