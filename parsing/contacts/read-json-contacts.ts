import { JSONParser, TokenType } from '@streamparser/json';
import type { ContactLine } from '../../contract/contacts.ts';
import { InvalidRequest } from '../../contract/errors.ts';
import { isRecord, parseJson } from '../../contract/json.ts';
import { rawColumn } from '../../contract/rules/contacts/contact-fields.ts';

const longestLine = 1_000_000;
/** How deep lists and objects may stand in each other. */
const deepest = 20;
/** The most fields of one contact, also of those that are empty. */
const mostFields = 200;

/**
 * Reads a JSON list of contacts, or `{"contacts": […]}`, without holding all of it. Lines are counted by contact.
 *
 * @throws InvalidRequest
 */
export async function* readJsonContacts(texts: AsyncIterable<string>): AsyncGenerator<ContactLine> {
  const found: unknown[] = [];
  let parser: JSONParser | undefined;
  let line = 0;
  /** Characters since a contact was complete: all that the parser holds. */
  let open = 0;
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
      parser.onToken = createDepthCheck();
    }
    try {
      parser.write(begin);
    } catch (error) {
      throw error instanceof InvalidRequest ? error : failed(error as Error);
    }
    open = found.length > 0 ? 0 : open + begin.length;
    if (open > longestLine)
      throw new InvalidRequest([
        { path: '', message: `has more than ${longestLine} characters without a contact, after contact ${line}` },
      ]);
    for (const value of found.splice(0)) yield lineOf(++line, value);
  }
  try {
    if (parser && !parser.isEnded) parser.end();
  } catch (error) {
    throw failed(error as Error);
  }
}

/** @returns what throws InvalidRequest at a token that stands too deep */
function createDepthCheck(): ({ token }: { token: TokenType }) => void {
  let depth = 0;
  return ({ token }) => {
    if (token === TokenType.LEFT_BRACE || token === TokenType.LEFT_BRACKET) depth++;
    if (token === TokenType.RIGHT_BRACE || token === TokenType.RIGHT_BRACKET) depth--;
    if (depth > deepest)
      throw new InvalidRequest([{ path: '', message: `has lists and objects more than ${deepest} deep` }]);
  };
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

function lineOf(line: number, value: unknown, text?: string): ContactLine {
  const faulty = (fault: string) => {
    const raw = (text ?? JSON.stringify(value)).slice(0, 2_000).toWellFormed();
    return { line, fields: { [rawColumn]: raw }, fault };
  };
  if (!isRecord(value)) return faulty('is not a JSON object');
  if (Object.keys(value).length > mostFields) return faulty(`has more than ${mostFields} fields`);
  try {
    return { line, fields: fieldsOf(value) };
  } catch (error) {
    // Only values that stand too deep in each other cannot be written.
    if (error instanceof RangeError) return faulty('has lists and objects that stand too deep in each other');
    throw error;
  }
}

/** Values as texts: those of a list one below the other, and objects as JSON. */
const fieldsOf = (value: Record<string, unknown>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== null)
      .map(([key, inner]) => [key, Array.isArray(inner) ? inner.map(textOf).join('\n') : textOf(inner)]),
  );

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
