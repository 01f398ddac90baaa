/**
 * Words and codes of a text: letters and digits, with signs between them in what holds a digit (`PPR-9087`, `DN-50/16`,
 * `v2.10.1`, `KX_204_B`), and names that end or begin with a sign (`C++`, `C#`, `.NET`, `#4711`).
 */
export const tokenPattern =
  /(?<![\p{L}\p{N}.])\.\p{L}{2,}|(?<![\p{L}\p{N}])#\p{N}+|(?<![\p{L}\p{N}])\p{L}{1,2}(?:\+\+|#)(?![\p{L}\p{N}])|[\p{L}\p{N}\p{M}]+(?:[-_./:][\p{L}\p{N}\p{M}]+)*/gu;

const separators = /[-_./:]/;

/** What a token of `tokenPattern` is. */
export type Token = {
  text: string;
  /** Its letters and digits, without what separates them. */
  parts: string[];
  /**
   * `code`: names one thing, so it is searched whole. `number`: a range, a date, a time; it is also searched by its
   * parts. `words`: only its parts count.
   */
  kind: 'code' | 'number' | 'words';
};

/** Longer ones are addresses; their beginnings say little. */
const maxParts = 6;

export function tokenOf(text: string): Token {
  // Most tokens are plain words.
  if (/^[a-z]+$/i.test(text) || /^\p{L}+$/u.test(text)) return { text, parts: [text], kind: 'words' };
  const parts = text.split(/[^\p{L}\p{N}\p{M}]+/u).filter((part) => part !== '');
  if (!separators.test(text)) {
    // `5pm`, `30min`, `3rd` are numbers with a unit.
    const isCode =
      /[+#]/.test(text) || (/\p{L}/u.test(text) && /\p{N}/u.test(text) && !/^\p{N}+\p{L}{1,3}$/u.test(text));
    return { text, parts, kind: isCode ? 'code' : 'words' };
  }
  if (text.startsWith('.')) return { text, parts, kind: 'code' };
  // `part-time`, `and/or`, and `30-day`, which also stands there as “30 days”.
  if (!/\p{N}/u.test(text) || /^\p{N}{1,3}(-\p{L}{3,})+$/u.test(text)) return { text, parts, kind: 'words' };
  return { text, parts, kind: isNumber(text, parts) ? 'number' : 'code' };
}

function isNumber(text: string, parts: string[]): boolean {
  if (parts.some((part) => !/^\p{N}{1,4}$/u.test(part))) return false;
  const isDate = /^(\d{1,2}[-./]\d{1,2}[-./](\d{2}|\d{4})|\d{4}[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}:\d{2}:\d{2})$/.test(
    text,
  );
  return parts.length <= 2 || isDate;
}

/** A token and its beginnings, down to two parts: `DN-50/16` is found by `DN-50`, `v2.10.1` by `v2.10`. */
export function beginningsOf({ text, parts }: Token): string[] {
  if (parts.length > maxParts) return [text];
  const ends = [...text.matchAll(/[-_./:]/g)].map(({ index }) => index).slice(1);
  return [...ends.map((end) => text.slice(0, end)), text];
}
