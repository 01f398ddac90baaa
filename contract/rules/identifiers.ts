import { kindOfToken, type TokenKind } from './token-kinds.ts';

/**
 * Words and codes of a text: letters and digits, with signs between them in what holds a digit (`PPR-9087`, `DN-50/16`,
 * `v2.10.1`, `KX_204_B`), and names that end or begin with a sign (`C++`, `C#`, `.NET`, `#4711`).
 */
const tokenPattern =
  /(?<![\p{L}\p{N}.])\.\p{L}{2,}|(?<![\p{L}\p{N}])#\p{N}+|(?<![\p{L}\p{N}])\p{L}{1,2}(?:\+\+|#)(?![\p{L}\p{N}])|[\p{L}\p{N}\p{M}]+(?:[-_./:][\p{L}\p{N}\p{M}]+)*/gu;

/** Addresses of the web and of e-mail, and paths. */
const addressPattern =
  /(\p{L}[\p{L}\p{N}+.-]{1,10}:\/\/[^\s<>"]+|(?<![\p{L}\p{N}])www\.[^\s<>"]+|(?<![^\s<>"@,;()])[^\s<>"@,;()]+@[^\s<>"@]+\.\p{L}{2,}|(?<=^|[\s("'])(?:~|\.{1,2})?\/[^\s<>"]+)/u;

/** A word or a code of a text. `parts`: its letters and digits, without what separates them. */
export type Token = { text: string; parts: string[]; kind: TokenKind };

function tokenOf(text: string): Token {
  // Most tokens are plain words.
  if (/^[a-z]+$/i.test(text) || /^\p{L}+$/u.test(text)) return { text, parts: [text], kind: 'words' };
  const parts = text.split(/[^\p{L}\p{N}\p{M}]+/u).filter((part) => part !== '');
  return { text, parts, kind: kindOfToken(text, parts) };
}

/** The tokens of a passage, as they stand there. */
export const tokensOf = (text: string): Token[] => (text.match(tokenPattern) ?? []).map(tokenOf);

/**
 * The tokens of a query: codes without the words, paths and other codes that they are written together with, so that
 * each is looked up by itself.
 */
export function queryTokens(text: string): Token[] {
  // Every second piece is an address.
  return text.split(addressPattern).flatMap((piece, i) => {
    if (i % 2 === 0) return tokensOf(piece).flatMap((token) => separateCodes(token.text).map(tokenOf));
    const segments = tokensOf(piece).flatMap((token) => token.text.split(/[/:]/));
    return segments.flatMap((segment) => separateEnds(segment).map(tokenOf)).map(inAddress);
  });
}

/** Parts of an address look like codes (`/v2/`, `web1.example.com`); only when a passage holds one is it sure. */
const inAddress = (token: Token): Token => (token.kind === 'code' ? { ...token, kind: 'possible code' } : token);

/**
 * Takes apart what is written together: `PPR-9087/PPR-9088`, `PPR-9087-PPR-9090`, `Ticket:PPR-9088`, `Ticket:4711`,
 * `notes/PPR-9088.pdf`, `PPR-9088-Meldung`. `DN-50/16`, `A4/B` and `HR/2024/17` stay whole.
 */
function separateCodes(text: string): string[] {
  if (!/[-_./:]/.test(text) || !/\p{N}/u.test(text)) return [text];
  const segments = text.split(/[/:]/);
  const hasFullCode = segments.some((segment) => separateEnds(segment).some(isFullCode));
  const hasWord = segments.some((segment) => isWord(segment) && !isCapitals(segment));
  const standsAlone = (segment: string) =>
    (isWord(segment) && (hasFullCode || !isCapitals(segment))) ||
    separateEnds(segment).some(isFullCode) ||
    (hasWord && /^\p{N}+$/u.test(segment));
  return segments.length > 1 && segments.every(standsAlone) ? segments.flatMap(separateEnds) : separateEnds(text);
}

const isWord = (text: string): boolean => /^[\p{L}\p{M}]{3,}$/u.test(text);
const isCode = (text: string): boolean => ['code', 'possible code'].includes(tokenOf(text).kind);

/** A code that needs nothing beside it: of letters and digits. */
const isFullCode = (text: string): boolean => isCode(text) && /\p{L}/u.test(text);

/** Takes the words at both ends and the ending of a file's name off a code, and two codes of the same form apart. */
function separateEnds(text: string): string[] {
  const halves = halvesOf(text);
  if (halves) return halves;
  const [, code = '', end = ''] = /^(.+)(?:\.(\p{L}{2,5})|[-_:/]\p{L}[\p{L}\p{M}]{2,})$/u.exec(text) ?? [];
  const last = end || text.slice(code.length + 1);
  if (code !== '' && (end !== '' || !isCapitals(last)) && isFullCode(code)) return [...separateEnds(code), last];
  const [, first = '', rest = ''] = /^(\p{L}[\p{L}\p{M}]{2,})[-_:/.](.+)$/u.exec(text) ?? [];
  if (first !== '' && !isCapitals(first) && isFullCode(rest)) return [first, ...separateEnds(rest)];
  return [text];
}

const isCapitals = (text: string) => text === text.toUpperCase() && text !== text.toLowerCase();

/** `PPR-9087-PPR-9090` and `A1-A5`: both halves have the same letters and signs, and begin with a letter. */
function halvesOf(text: string): [string, string] | undefined {
  const separators = [...text.matchAll(/[-_./:]/g)];
  if (separators.length % 2 === 0) return undefined;
  const middle = separators[(separators.length - 1) / 2]?.index ?? 0;
  const [first, second] = [text.slice(0, middle), text.slice(middle + 1)];
  const formOf = (half: string) => half.replace(/\p{N}+/gu, '0').toLowerCase();
  return isFullCode(first) && /^\p{L}/u.test(first) && formOf(first) === formOf(second) ? [first, second] : undefined;
}

/** Of more than so many parts of a token no run is indexed, but for its beginnings. */
const maxRun = 4;
/** Longer ones are addresses; their beginnings say little. */
const maxBeginning = 6;

/**
 * What a token is found by, beside its parts: as a whole, and by each run of neighbouring parts that could be a code.
 * `DN-50/16` is found by `DN-50`, `v2.10.1` by `v2.10`, `PPR-9087/PPR-9088` by each of both.
 */
export function codeTerms({ text, parts }: Token): string[] {
  if (parts.length < 2) return [text];
  if (!/\p{N}/u.test(text)) return [];
  const found = new Set([text]);
  const places: { start: number; end: number }[] = [];
  for (const part of parts) {
    const start = text.indexOf(part, places.at(-1)?.end ?? 0);
    places.push({ start, end: start + part.length });
  }
  for (const [first, { start }] of places.entries())
    for (const { end } of places.slice(first + 1, first + (first === 0 ? maxBeginning : maxRun))) {
      const run = text.slice(start, end);
      if (/\p{N}/u.test(run)) found.add(run);
    }
  return [...found];
}
