import { fileProblem } from '../file-problem.ts';
import { countRows, type RowCounter } from '../limits.ts';
import { singleLine } from '../normalise.ts';
import { body, type Outline, type Unit } from '../chunks/unit.ts';

type Scalar = string | boolean | null;
type Value = Scalar | Value[] | { [key: string]: Value };

/** Documents that people write are rarely deeper than ten levels. */
const maxDepth = 100;

/**
 * Reads JSON as lines that begin with their path: `limits.hotel.berlin: 150 EUR`.
 * Each object of a list becomes one line, like a table row: `grades[0]: name: L2;
 * limit: 50`. Numbers stay as they are written: 12.50 does not become 12.5.
 *
 * @throws AlfredError `file_unreadable` or `file_too_large`
 */
export function readJson(name: string, text: string): Outline {
  const value = parseOrRefuse(name, text.replace(/^\uFEFF/, ''));
  const title = isObject(value)
    ? [value.title, value.name].find((candidate) => typeof candidate === 'string' && candidate !== '')
    : undefined;
  const lines = createLineWriter(countRows(name));
  lines.write(value);
  return { title: typeof title === 'string' ? singleLine(title) : undefined, units: lines.units() };
}

/** Reads JSON Lines: each line is read like an object of a list. */
export function readJsonLines(name: string, text: string): Outline {
  const lines = createLineWriter(countRows(name));
  for (const [index, line] of text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .entries()) {
    if (line.trim() !== '') lines.write([parseOrRefuse(name, line, index + 1)]);
  }
  return { title: undefined, units: lines.units() };
}

const parseOrRefuse = (name: string, text: string, line?: number): Value =>
  parseJsonFile(name, text, { line, reviver: keepNumberText }) as Value;

type Reading = {
  line?: number | undefined;
  reviver: (key: string, value: unknown, context?: { source?: string }) => unknown;
};

/** @throws AlfredError `file_unreadable` with the line */
export function parseJsonFile(name: string, text: string, { line, reviver }: Reading): unknown {
  try {
    return JSON.parse(text, reviver);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const place = /line (\d+) column (\d+)/.exec(error.message);
    const where = place ? ` at line ${line ?? place[1]}, column ${place[2]}` : line ? ` at line ${line}` : '';
    throw fileProblem('file_unreadable', name, `the JSON is broken${where}. Correct it and add the file again.`, error);
  }
}

/** Keeps a number as it is written in the file. Node gives its source text to the reviver. */
const keepNumberText = (_key: string, value: unknown, context?: { source?: string }): unknown =>
  typeof value === 'number' ? (context?.source ?? String(value)) : value;

function createLineWriter(counter: RowCounter) {
  const lines: string[] = [];

  function addLine(path: string, text: string) {
    if (text === '') return;
    counter.countRead(text.length);
    lines.push(counter.countWritten(path ? `${path}: ${text}` : text));
  }

  function write(value: Value, path = '', depth = 0, isItem = false) {
    if (depth > maxDepth) throw new RangeError(`more than ${maxDepth} levels`);
    if (isPlain(value)) addLine(path, plainText(value));
    else if (Array.isArray(value)) {
      // Items of a list that is the whole file get no path: it would only be their index.
      for (const [index, item] of value.entries()) write(item, path && `${path}[${index}]`, depth + 1, true);
    } else if (isItem && isFlat(value)) addLine(path, rowOf(value));
    else for (const [key, item] of Object.entries(value)) write(item, path ? `${path}.${key}` : key, depth + 1);
  }

  return { write, units: (): Unit[] => lines.map((line, index) => body(line, { tight: index > 0 })) };
}

const isObject = (value: Value | undefined): value is { [key: string]: Value } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
/** A scalar, or a list of short scalars. */
const isPlain = (value: Value): value is Scalar | Scalar[] =>
  isScalar(value) || (Array.isArray(value) && value.length > 0 && value.every(isShort));
const isScalar = (value: Value): value is Scalar => typeof value !== 'object' || value === null;
const isShort = (value: Value): value is Scalar => isScalar(value) && String(value).length <= 60;

/** An object becomes one line if it is nested by at most one level: `address.city: Berlin`. */
const isFlat = (row: { [key: string]: Value }): boolean =>
  Object.values(row).every((value) => isPlain(value) || (isObject(value) && Object.values(value).every(isPlain)));

const rowOf = (row: { [key: string]: Value }): string =>
  Object.entries(row)
    .flatMap(([key, value]): [string, Value][] =>
      isObject(value)
        ? Object.entries(value).map(([innerKey, inner]) => [`${key}.${innerKey}`, inner])
        : [[key, value]],
    )
    .map(([key, value]) => [key, isPlain(value) ? plainText(value) : ''])
    .filter(([, text]) => text !== '')
    .map(([key, text]) => `${key}: ${text}`)
    .join('; ');

const plainText = (value: Scalar | Scalar[]): string =>
  value === null ? '' : Array.isArray(value) ? value.map(String).join(', ') : singleLine(String(value));
