import type { Sheet, SheetRow } from '../contract/ports/index.ts';
import { fileProblem } from './file-problem.ts';
import { parseJsonFile } from './formats/json.ts';
import { countRows } from './limits.ts';

/** A number as the file writes it. */
class NumberText {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Scalar = string | boolean | null | NumberText;
type Fields = Record<string, unknown>;
type Table = Scalar[][];

/**
 * The tables of a JSON text: a list of objects or of lists, an object whose values are objects
 * ("Revenue": {"2024": 5}), or an object whose values are such tables, by their names.
 *
 * @throws AlfredError `file_unreadable`: it is none of these
 */
export function jsonSheets(name: string, text: string): Sheet[] {
  const value = parse(name, text.replace(/^\uFEFF/, ''));
  const table = tableOf(value);
  if (table) return [sheetOf(name, 'JSON', table)];
  const named = Object.entries(isFields(value) ? value : {}).flatMap(([key, one]) => {
    const below = tableOf(one);
    return below ? [sheetOf(name, key, below)] : [];
  });
  if (named.length > 0) return named;
  throw fileProblem(
    'file_unreadable',
    name,
    'the JSON is no table. Give a list of objects with the same keys, like [{"item": "Revenue", "2024": 100}], or an object of such lists.',
  );
}

/** One table, a line a row. */
export function jsonLineSheets(name: string, text: string): Sheet[] {
  const values = text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .flatMap((line, index) => (line.trim() === '' ? [] : [parse(name, line, index + 1)]));
  const table = tableOf(values);
  if (table) return [sheetOf(name, 'JSON', table)];
  throw fileProblem('file_unreadable', name, 'each line must be an object with plain values.');
}

const parse = (name: string, text: string, line?: number) =>
  parseJsonFile(name, text, {
    line,
    reviver: (_key, value, context) =>
      typeof value === 'number' ? new NumberText(context?.source ?? String(value)) : value,
  });

/** Rows of cells, the first of them the header. */
function tableOf(value: unknown): Table | undefined {
  if (Array.isArray(value)) {
    if (value.length === 0) return undefined;
    if (value.every(isFlat))
      return withHeader(
        value.map((fields) => ['', fields] as const),
        false,
      );
    return value.every((row) => Array.isArray(row) && row.every(isScalar)) ? value : undefined;
  }
  const entries = isFields(value) ? Object.entries(value) : [];
  const flat = entries.flatMap(([label, one]) => (isFlat(one) ? [[label, one] as const] : []));
  return flat.length > 0 && flat.length === entries.length ? withHeader(flat, true) : undefined;
}

function withHeader(rows: readonly (readonly [string, Record<string, Scalar>])[], isNamed: boolean): Table {
  const given = [...new Set(rows.flatMap(([, fields]) => Object.keys(fields)))];
  // The order of keys is not kept everywhere, so what names a row goes before its figures.
  const namesRows = (key: string) =>
    rows.every(([, fields]) => !(cellOf(fields, key) instanceof NumberText)) &&
    rows.some(([, fields]) => /\p{L}/u.test(textOf(cellOf(fields, key))));
  const keys = [...given.filter(namesRows), ...given.filter((key) => !namesRows(key))];
  return [
    [...(isNamed ? [''] : []), ...keys],
    ...rows.map(([label, fields]) => [...(isNamed ? [label] : []), ...keys.map((key) => cellOf(fields, key))]),
  ];
}

function sheetOf(file: string, name: string, table: Table): Sheet {
  const counter = countRows(file);
  const rows: SheetRow[] = [];
  for (const [index, cells] of table.entries()) {
    const texts = cells.map(textOf);
    if (texts.every((text) => text === '')) continue;
    counter.countRead(texts.reduce((sum, { length }) => sum + length, 0));
    rows.push({
      row: index + 1,
      texts,
      values: cells.map((cell) => (cell instanceof NumberText ? cell.text : null)),
    });
  }
  return { name, rows };
}

/** Every object inherits `constructor` and others, which are no cells. */
const cellOf = (fields: Record<string, Scalar>, key: string): Scalar =>
  Object.hasOwn(fields, key) ? (fields[key] ?? null) : null;
const textOf = (cell: Scalar): string =>
  cell === null ? '' : cell instanceof NumberText ? cell.text : String(cell).trim();
const isScalar = (value: unknown): value is Scalar =>
  value === null || value instanceof NumberText || typeof value !== 'object';
const isFields = (value: unknown): value is Fields =>
  value !== null && typeof value === 'object' && !Array.isArray(value) && !(value instanceof NumberText);
const isFlat = (value: unknown): value is Record<string, Scalar> =>
  isFields(value) && Object.values(value).every(isScalar);
