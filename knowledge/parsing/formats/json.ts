import { fileProblem } from '../file-problem.ts';
import { countRows, type RowCounter } from '../limits.ts';
import { singleLine } from '../normalise.ts';
import { body, type Outline, type Unit } from '../chunks/unit.ts';

type Scalar = string | boolean | null;
type Value = Scalar | Value[] | { [key: string]: Value };

/** What people write by hand is rarely deeper than ten. */
const maxDepth = 100;

/**
 * JSON as lines that each say where they stand: `limits.hotel.berlin: 150 EUR`. The objects of a list are lines of their
 * own, like rows of a table: `grades[0]: name: L2; limit: 50`. Numbers stay as they are written, 12.50 and not 12.5.
 *
 * @throws AlfredError `file_unreadable` or `file_too_large`
 */
export function readJson(name: string, text: string): Outline {
  const value = parseJson(name, text.replace(/^\uFEFF/, ''));
  const title = isObject(value)
    ? [value.title, value.name].find((it) => typeof it === 'string' && it !== '')
    : undefined;
  const page = createLines(countRows(name));
  page.write(value);
  return { title: typeof title === 'string' ? singleLine(title) : undefined, units: page.units() };
}

/** A value a line, each like an object of a list. */
export function readJsonLines(name: string, text: string): Outline {
  const page = createLines(countRows(name));
  for (const [index, line] of text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .entries()) {
    if (line.trim() !== '') page.write([parseJson(name, line, index + 1)]);
  }
  return { title: undefined, units: page.units() };
}

function parseJson(name: string, text: string, line?: number): Value {
  try {
    return JSON.parse(text, asWritten) as Value;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const place = /line (\d+) column (\d+)/.exec(error.message);
    const where = place ? ` at line ${line ?? place[1]}, column ${place[2]}` : line ? ` at line ${line}` : '';
    throw fileProblem('file_unreadable', name, `the JSON is broken${where}. Correct it and add the file again.`, error);
  }
}

/** Node.js 21 and newer say how a number was written. */
const asWritten = (_key: string, value: unknown, context?: { source?: string }): unknown =>
  typeof value === 'number' ? (context?.source ?? String(value)) : value;

function createLines(counter: RowCounter) {
  const lines: string[] = [];

  function say(path: string, text: string) {
    if (text === '') return;
    counter.met(text.length);
    lines.push(counter.wrote(path ? `${path}: ${text}` : text));
  }

  function write(value: Value, path = '', depth = 0, isItem = false) {
    if (depth > maxDepth) throw new RangeError(`more than ${maxDepth} levels`);
    if (isPlain(value)) say(path, plainText(value));
    else if (Array.isArray(value)) {
      // The rows of a list that is the whole file need no place: one is like the other.
      for (const [index, item] of value.entries()) write(item, path && `${path}[${index}]`, depth + 1, true);
    } else if (isItem && isFlat(value)) say(path, rowOf(value));
    else for (const [key, item] of Object.entries(value)) write(item, path ? `${path}.${key}` : key, depth + 1);
  }

  return { write, units: (): Unit[] => lines.map((line, index) => body(line, { tight: index > 0 })) };
}

const isObject = (value: Value | undefined): value is { [key: string]: Value } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
/** A value, or a list of nothing but short values. */
const isPlain = (value: Value): value is Scalar | Scalar[] =>
  isScalar(value) || (Array.isArray(value) && value.length > 0 && value.every(isShort));
const isScalar = (value: Value): value is Scalar => typeof value !== 'object' || value === null;
const isShort = (value: Value): value is Scalar => isScalar(value) && String(value).length <= 60;

/** One level of objects within a row is still a row: `address.city: Berlin`. */
const isFlat = (row: { [key: string]: Value }): boolean =>
  Object.values(row).every((value) => isPlain(value) || (isObject(value) && Object.values(value).every(isPlain)));

const rowOf = (row: { [key: string]: Value }): string =>
  Object.entries(row)
    .flatMap(([key, value]): [string, Value][] =>
      isObject(value) ? Object.entries(value).map(([inner, it]) => [`${key}.${inner}`, it]) : [[key, value]],
    )
    .map(([key, value]) => [key, isPlain(value) ? plainText(value) : ''])
    .filter(([, text]) => text !== '')
    .map(([key, text]) => `${key}: ${text}`)
    .join('; ');

const plainText = (value: Scalar | Scalar[]): string =>
  value === null ? '' : Array.isArray(value) ? value.map(String).join(', ') : singleLine(String(value));
