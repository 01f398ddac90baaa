import type { JsonValue } from '../../contract/json.ts';
import type { Message } from '../../contract/ports/index.ts';

/** Shorter quotations are names and terms. */
const minWords = 4;
const quotation = /“([^“”]+)”|„([^„“]+)“|«([^«»]+)»|"([^"\n]+)"/g;

/** On one line, without marks of Markdown and with plain quotation marks: what people do not read as a difference. */
const plain = (text: string): string =>
  text
    .replace(/[*_`]/g, '')
    .replace(/[“”„«»]/g, '"')
    .replace(/[‘’]/g, "'")
    .replace(/\s+/g, ' ')
    .trim();

/** What stands between quotation marks in an answer and in no text that the model got. */
export function unknownQuotations(answer: string, messages: Message[]): string[] {
  const quoted = [...answer.matchAll(quotation)].map((match) => match.slice(1).find((one) => one !== undefined) ?? '');
  const long = quoted.filter((one) => plain(one).split(' ').length >= minWords);
  if (long.length === 0) return [];
  const sources = messages.flatMap(textsOf).map(plain);
  // A quotation may leave something out, or end with the answer's own full stop.
  const parts = (one: string) =>
    plain(one)
      .split(/\s*(?:…|\[…\]|\.\.\.)\s*/)
      .map((part) => part.replace(/[.,;:]$/, ''));
  return [...new Set(long)].filter(
    (one) => !parts(one).every((part) => sources.some((source) => source.includes(part))),
  );
}

/** The answer with these quotations marked: the reader sees that the words are not from a source. */
export const markQuotations = (answer: string, unknown: string[]): string =>
  unknown.reduce(
    (text, words) =>
      text.replaceAll(
        new RegExp(`[“„«"]${escaped(words)}[”“»"]`, 'g'),
        () => `[in no source, word for word: ${words}]`,
      ),
    answer,
  );

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

function textsOf(message: Message): string[] {
  if (message.role === 'user') return message.because ? [] : [message.text];
  // A result may be shown as JSON too.
  return message.role === 'tool'
    ? message.results.flatMap(({ output }) => [...stringsIn(output), JSON.stringify(output)])
    : [];
}

/** Every text of a value, at any depth. */
const stringsIn = (value: JsonValue): string[] =>
  typeof value === 'string'
    ? [value]
    : typeof value === 'object' && value !== null
      ? Object.values(value).flatMap(stringsIn)
      : [];
