import { isDateFormat } from 'numfmt';
import type { Sheet, SheetFile, SheetRow } from '../contract/ports/index.ts';
import { fileProblem } from './file-problem.ts';
import { labelOf } from './file-kinds.ts';
import { readCsvRecords } from './formats/csv.ts';
import { readWorkbook } from './formats/xlsx.ts';
import type { Lookups, SheetCell } from './formats/xlsx-sheet.ts';
import { jsonLineSheets, jsonSheets } from './json-sheets.ts';
import { countRows } from './limits.ts';
import { singleLine } from './normalise.ts';
import { recogniseFile } from './recognise-file.ts';

/** Columns beyond this are not read: no table of people is as wide. */
export const maxColumns = 500;

/**
 * The tables of a file, with the address of each cell.
 *
 * @throws AlfredError `file_*`: it is no CSV, XLSX, JSON or JSON Lines file, or cannot be read
 */
export async function readSheets(file: SheetFile): Promise<Sheet[]> {
  const { name, bytes } = file;
  const recognised = recogniseFile(file);
  const sheets = await sheetsOf(recognised, name, bytes);
  if (sheets.some(({ rows }) => rows.length > 0)) return sheets.filter(({ rows }) => rows.length > 0);
  throw fileProblem('file_empty', name, 'it holds no table. Add the file again once it has one.');
}

async function sheetsOf(recognised: ReturnType<typeof recogniseFile>, name: string, bytes: Uint8Array) {
  switch (recognised.kind) {
    case 'xlsx':
      return workbookSheets(name, bytes);
    case 'json':
      return jsonSheets(name, recognised.text);
    case 'jsonl':
      return jsonLineSheets(name, recognised.text);
    case 'csv':
    case 'text':
      return [csvSheet(name, recognised.text)];
    default:
      throw fileProblem(
        'file_type_unsupported',
        name,
        `tables are read from CSV, XLSX, JSON and JSON Lines files, and this is ${labelOf[recognised.kind]}. Export the table as one of them.`,
      );
  }
}

function csvSheet(name: string, text: string): Sheet {
  const counter = countRows(name);
  const rows: SheetRow[] = [];
  let row = 0;
  readCsvRecords(name, text, (record) => {
    row++;
    const texts = record.slice(0, maxColumns).map((cell) => singleLine(cell));
    if (texts.every((cell) => cell === '')) return;
    counter.countRead(texts.reduce((sum, { length }) => sum + length, 0));
    rows.push({ row, texts });
  });
  return { name: 'CSV', rows };
}

async function workbookSheets(name: string, bytes: Uint8Array): Promise<Sheet[]> {
  const { sheets, lookups } = await readWorkbook(name, bytes);
  return sheets.map(({ name: sheetName, content: { rows } }) => ({
    name: sheetName,
    rows: rows.flatMap(({ number, cells }) => {
      const width = Math.min(maxColumns, (cells.at(-1)?.column ?? -1) + 1);
      if (width === 0) return [];
      const texts = new Array<string>(width).fill('');
      const values = new Array<string | null>(width).fill(null);
      for (const cell of cells) {
        if (cell.column >= width) continue;
        texts[cell.column] = cell.text;
        values[cell.column] = storedNumber(cell, lookups);
      }
      return [{ row: number, texts, values }];
    }),
  }));
}

/** The number of a cell as Excel computes with it: 15 digits. Dates are no numbers here. */
function storedNumber({ isText, raw, text, style }: SheetCell, { formats }: Lookups): string | null {
  if (isText || raw.trim() === '' || text.startsWith('=')) return null;
  const number = Number(raw);
  const format = formats[Number(style ?? 0)] ?? 'General';
  if (!Number.isFinite(number) || text === 'TRUE' || text === 'FALSE') return null;
  if (!/^general$/i.test(format) && isDateFormat(format)) return null;
  return String(Number(number.toPrecision(15)));
}
