import { countRows } from '../limits.ts';
import { openOfficePackage } from './office-package.ts';
import { allOf, firstOf, relationIdOf, relationsOf, titleOf, treeOf } from './office-xml.ts';
import { tableUnits } from '../chunks/table-rows.ts';
import type { Outline, Unit } from '../chunks/unit.ts';
import { readNumberFormats, readSharedTexts } from './xlsx-lookups.ts';
import { readSheet } from './xlsx-sheet.ts';

const workbookPart = 'xl/workbook.xml';

/**
 * An Excel workbook: each sheet a heading, its rows with their header, numbers and dates as the sheet shows them. Formulas
 * give their last result. Macros (.xlsm) stay packed: nothing in a file is ever run, so there is nothing to refuse. Hidden
 * sheets are left out, like everything else that a reader does not see.
 *
 * Read piece by piece with a strict XML parser, and not by a spreadsheet library: those hold the whole workbook in memory,
 * or give 0.05 where the sheet says 5%.
 *
 * @throws AlfredError `file_unreadable` or `file_too_large`
 */
export async function readXlsx(name: string, bytes: Uint8Array): Promise<Outline> {
  const file = openOfficePackage(name, bytes);
  const workbook = await treeOf(name, file, workbookPart);
  const relations = await relationsOf(name, file, workbookPart);
  const partOf = (kind: string) => [...relations.values()].find((relation) => relation.kind === kind)?.part;
  const lookups = {
    texts: await readSharedTexts(name, file, partOf('sharedStrings')),
    formats: await readNumberFormats(name, file, partOf('styles')),
    countsFrom1904: /^(1|true)$/.test(firstOf(workbook, 'workbookPr')?.attributes.date1904 ?? ''),
  };
  const counter = countRows(name);
  const units: Unit[] = [];
  for (const sheet of allOf(workbook, 'sheet')) {
    const relation = relations.get(relationIdOf(sheet) ?? '');
    if (relation?.kind !== 'worksheet' || (sheet.attributes.state ?? 'visible') !== 'visible') continue;
    const rows = tableUnits(await readSheet(name, file, relation.part, lookups, counter), counter);
    if (rows.length === 0) continue;
    units.push({ kind: 'heading', depth: 1, text: sheet.attributes.name ?? '', page: null }, ...rows);
  }
  return { title: await titleOf(name, file), units, headingsNameParts: true };
}
