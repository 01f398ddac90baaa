import { countRows } from '../limits.ts';
import { openOfficePackage } from './office-package.ts';
import { findAll, packagePart, findFirst, relationIdOf, readRelations, readTitle, readTree } from './office-xml.ts';
import { tableUnits } from '../chunks/table-rows.ts';
import type { Outline, Unit } from '../chunks/unit.ts';
import { readNumberFormats, readSharedTexts } from './xlsx-lookups.ts';
import { computeFormulas } from './xlsx-formulas.ts';
import { repeatMerged } from './xlsx-merges.ts';
import { readSheet, type SheetContent, withGaps } from './xlsx-sheet.ts';

/**
 * Reads an Excel workbook. Each sheet is a heading. Rows repeat their header; numbers and dates look as in the sheet.
 * Formulas give their last result; without one, simple ones are computed and others are shown as such. The text of a
 * merged cell is repeated in its rows. Macros (.xlsm) are not read, and nothing in a file is ever run. Hidden sheets
 * are skipped, because readers do not see them.
 *
 * A strict XML parser reads the file in pieces. Spreadsheet libraries were rejected: they hold the whole workbook in
 * memory, or return 0.05 where the sheet shows 5%.
 *
 * @throws AlfredError `file_unreadable` or `file_too_large`
 */
export async function readXlsx(name: string, bytes: Uint8Array): Promise<Outline> {
  const { title, sheets, counter } = await readWorkbook(name, bytes);
  const units = sheets.flatMap(({ name: sheetName, content: { rows, merges } }): Unit[] => {
    repeatMerged(rows, merges);
    const pieces = tableUnits(withGaps(rows), counter);
    return pieces.length === 0 ? [] : [{ kind: 'heading', depth: 1, text: sheetName, page: null }, ...pieces];
  });
  return { title, units, headingsNameParts: true };
}

/** The visible sheets of a workbook with their cells. @throws AlfredError `file_unreadable` or `file_too_large` */
export async function readWorkbook(name: string, bytes: Uint8Array) {
  const file = openOfficePackage(name, bytes);
  const workbookPart = await packagePart(name, file, 'officeDocument', 'xl/workbook.xml');
  const workbook = await readTree(name, file, workbookPart);
  const relations = await readRelations(name, file, workbookPart);
  const partOf = (kind: string) => [...relations.values()].find((relation) => relation.kind === kind)?.part;
  const lookups = {
    texts: await readSharedTexts(name, file, partOf('sharedStrings')),
    formats: await readNumberFormats(name, file, partOf('styles')),
    countsFrom1904: /^(1|true)$/.test(findFirst(workbook, 'workbookPr')?.attributes.date1904 ?? ''),
  };
  const counter = countRows(name);
  const sheets: { name: string; content: SheetContent }[] = [];
  for (const sheet of findAll(workbook, 'sheet')) {
    const relation = relations.get(relationIdOf(sheet) ?? '');
    if (relation?.kind !== 'worksheet' || (sheet.attributes.state ?? 'visible') !== 'visible') continue;
    const content = await readSheet({ name, file, part: relation.part, lookups, counter });
    sheets.push({ name: sheet.attributes.name ?? '', content });
  }
  computeFormulas(sheets, lookups);
  return { title: await readTitle(name, file), sheets, lookups, counter };
}
