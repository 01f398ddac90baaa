import type { JsonValue } from '../../contract/json.ts';
import type { Message } from '../../contract/ports/index.ts';

/** Shorter quotations are names and terms. */
const minWords = 4;
/** Shorter parts of a quotation with omissions stand anywhere. */
const minPartWords = 3;
/** Most characters that a quotation with omissions leaves out. */
const maxLeftOut = 600;
/** Most places of its first part that are tried. */
const maxPlaces = 1_000;
/** Marks as several languages pair them, in one paragraph; straight ones in one line. */
const pairs = [
  ['“', '”'],
  ['”', '“”'],
  ['„', '“”'],
  ['«', '»'],
  ['»', '«'],
].map(([opening, closing]) => `${opening}((?:[^${opening}${closing}\\n]|\\n(?![ \\t]*\\n))+)[${closing}]`);
const quotation = new RegExp([...pairs, '"([^"“”\\n]+)["”]', '“([^“”"\\n]+)"'].join('|'), 'g');
const blockQuotation = /^ {0,3}>.*(?:\n {0,3}>.*)*/gm;

/** On one line, without marks of Markdown and with plain quotation marks: what people do not read as a difference. */
const plain = (text: string): string =>
  text
    .replace(/[*_`]/g, '')
    .replace(/[“”„«»]/g, '"')
    .replace(/[‘’]/g, "'")
    .replace(/\s+/g, ' ')
    .trim();

/** The words of a block quotation: without its marks, the line that names its source, and numbers of citations. */
const wordsOfBlock = (block: string): string =>
  block
    .split('\n')
    .map((line) => line.replace(/^[ >]*/, ''))
    .filter((line) => !/^[—–]/.test(line))
    .join('\n')
    .replace(/(?:\s?\[\d{1,4}\])+\s*$/, '')
    .replace(/^["“”„«»]|["“”«»]$/g, '');

const wordsIn = (quoted: string): string => (quoted.startsWith('>') ? wordsOfBlock(quoted) : quoted);
const countWords = (text: string): number => text.split(' ').length;

/** What an answer shows as a quotation and no text has that the model got. A block quotation begins with `>`. */
export function unknownQuotations(answer: string, messages: Message[]): string[] {
  const blocks = [...answer.matchAll(blockQuotation)].map(([block]) => block.trim());
  const inline = [...answer.replace(blockQuotation, '').matchAll(quotation)].map(
    (match) => match.slice(1).find((one) => one !== undefined) ?? '',
  );
  const long = [...blocks, ...inline].filter((one) => countWords(plain(wordsIn(one))) >= minWords);
  if (long.length === 0) return [];
  const texts = messages.flatMap(textsOf);
  const sources = { texts: texts.map(plain), shown: messages.flatMap(shownOf).map(plain) };
  return [...new Set(long)].filter((one) => !isKnown(plain(wordsIn(one)), sources));
}

/** `shown`: results as JSON, in which texts stand beside each other that belong to different sources. */
function isKnown(words: string, { texts, shown }: { texts: string[]; shown: string[] }): boolean {
  // A quotation may leave something out, or end with the answer's own full stop.
  const whole = words.replace(/[.,;:]$/, '');
  if ([...texts, ...shown].some((source) => source.includes(whole))) return true;
  const parts = words
    .split(/\s*(?:\[…\]|\[\.\.\.\]|…|\.\.\.)\s*/)
    .map((part) => part.replace(/[.,;:]$/, ''))
    .filter((part) => part !== '');
  const [only = '', ...others] = parts;
  if (others.length === 0) return only !== '' && [...texts, ...shown].some((source) => source.includes(only));
  return parts.every((part) => countWords(part) >= minPartWords) && texts.some((source) => haveOrder(source, parts));
}

/** Whether parts follow each other in a text, with not much between them. */
function haveOrder(source: string, parts: string[]): boolean {
  const [first = '', ...rest] = parts;
  const longest = parts.join('').length + maxLeftOut;
  let start = source.indexOf(first);
  for (let tried = 0; start !== -1 && tried < maxPlaces; tried++) {
    const near = source.slice(start, start + longest);
    let at = first.length;
    const isFollowed = rest.every((part) => {
      const found = near.indexOf(part, at);
      at = found + part.length;
      return found !== -1;
    });
    if (isFollowed) return true;
    start = source.indexOf(first, start + 1);
  }
  return false;
}

/** The answer with these quotations marked: the reader sees that the words are not from a source. */
export const markQuotations = (answer: string, unknown: string[]): string =>
  unknown.reduce((text, words) => {
    const marked = `[in no source, word for word: ${wordsIn(words)}]`;
    if (words.startsWith('>')) return text.replaceAll(words, () => `> ${marked.replaceAll('\n', '\n> ')}`);
    return text.replaceAll(new RegExp(`[“”„«»"]${escaped(words)}[“”«»"]`, 'g'), () => marked);
  }, answer);

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

function textsOf(message: Message): string[] {
  if (message.role === 'user') return message.because ? [] : [message.text];
  return message.role === 'tool' ? message.results.flatMap(({ output }) => stringsIn(output)) : [];
}

/** A result may be shown as JSON too. */
const shownOf = (message: Message): string[] =>
  message.role === 'tool' ? message.results.map(({ output }) => JSON.stringify(output)) : [];

/** Every text of a value, at any depth. */
const stringsIn = (value: JsonValue): string[] =>
  typeof value === 'string'
    ? [value]
    : typeof value === 'object' && value !== null
      ? Object.values(value).flatMap(stringsIn)
      : [];
