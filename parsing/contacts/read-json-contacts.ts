import { JSONParser } from '@streamparser/json';
import type { ContactLine } from '../../contract/contacts.ts';
import { InvalidRequest } from '../../contract/errors.ts';
import { isRecord, parseJson } from '../../contract/json.ts';
import { rawColumn } from '../../contract/rules/contacts/contact-fields.ts';

const longestLine = 1_000_000;

/**
 * Reads a JSON list of contacts, or `{"contacts": […]}`, without holding all of it. Lines are counted by contact.
 *
 * @throws InvalidRequest
 */
export async function* readJsonContacts(texts: AsyncIterable<string>): AsyncGenerator<ContactLine> {
  const found: unknown[] = [];
  let parser: JSONParser | undefined;
  let line = 0;
  const failed = (error: Error) =>
    new InvalidRequest([
      { path: '', message: `is not JSON after contact ${line + found.length}: ${error.message.slice(0, 200)}` },
    ]);
  for await (const text of texts) {
    const begin = parser === undefined ? text.replace(/^\uFEFF/, '').trimStart() : text;
    if (begin === '') continue;
    if (parser === undefined) {
      if (!/^[[{]/.test(begin)) throw new InvalidRequest([{ path: '', message: 'expected a JSON list of contacts' }]);
      parser = new JSONParser({ paths: [begin.startsWith('[') ? '$.*' : '$.contacts.*'], keepStack: false });
      parser.onValue = ({ value }) => void found.push(value);
    }
    try {
      parser.write(begin);
    } catch (error) {
      throw failed(error as Error);
    }
    for (const value of found.splice(0)) yield lineOf(++line, value);
  }
  try {
    if (parser && !parser.isEnded) parser.end();
  } catch (error) {
    throw failed(error as Error);
  }
}

/** Reads one JSON object a line. A line that is none is a line with a fault. */
export async function* readJsonLines(texts: AsyncIterable<string>): AsyncGenerator<ContactLine> {
  let line = 0;
  for await (const text of linesOf(texts)) {
    line++;
    if (text.trim() === '') continue;
    yield lineOf(line, parseJson(text), text);
  }
}

/** The lines of texts that come in pieces. @throws InvalidRequest for one that is longer than any contact */
export async function* linesOf(texts: AsyncIterable<string>): AsyncGenerator<string> {
  let open = '';
  let isFirst = true;
  for await (const text of texts) {
    const lines = (open + (isFirst ? text.replace(/^\uFEFF/, '') : text)).split('\n');
    isFirst = false;
    open = lines.pop() ?? '';
    for (const line of lines) yield line.replace(/\r$/, '');
    if (open.length > longestLine)
      throw new InvalidRequest([{ path: '', message: `a line is longer than ${longestLine} characters` }]);
  }
  if (open !== '') yield open.replace(/\r$/, '');
}

function lineOf(line: number, value: unknown, text = JSON.stringify(value)): ContactLine {
  if (isRecord(value)) return { line, fields: fieldsOf(value) };
  return { line, fields: { [rawColumn]: text.slice(0, 2_000).toWellFormed() }, fault: 'is not a JSON object' };
}

/** Values as texts: those of a list one below the other, and objects as JSON. */
const fieldsOf = (value: Record<string, unknown>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== null)
      .map(([key, inner]) => [key, Array.isArray(inner) ? inner.map(textOf).join('\n') : textOf(inner)]),
  );

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
