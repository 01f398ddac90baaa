import { singleLine } from '../normalise.ts';
import { findAll, childElements, findFirst, textContent, type XmlElement } from './office-xml.ts';
import { documentTableTexts, isName } from '../chunks/document-table.ts';
import type { Cell, Row } from '../chunks/table-rows.ts';
import { body, type Unit } from '../chunks/unit.ts';

/** Placeholders that are not content: date, footer, header, slide number and slide image. */
const boilerplateRoles = new Set(['dt', 'ftr', 'hdr', 'sldNum', 'sldImg']);
const titleRoles = new Set(['title', 'ctrTitle']);

/** The title in one line; empty when the slide has none. */
export function titleOfSlide(slide: XmlElement): string {
  const title = shapesOf(slide).find((shape) => titleRoles.has(roleOf(shape)));
  return title ? singleLine(paragraphsOf(title).join(' ')) : '';
}

/** Everything but the title, in the order of the file, in which screen readers read it too. */
export const slideUnits = (slide: XmlElement, page: number): Unit[] =>
  shapesOf(slide)
    .filter((shape) => !titleRoles.has(roleOf(shape)) && !boilerplateRoles.has(roleOf(shape)))
    .flatMap((shape) => {
      const table = findFirst(shape, 'tbl');
      const pieces = table ? rowsOf(table) : paragraphsOf(shape);
      return pieces.map((text, index) => body(text, { tight: index > 0, page }));
    });

export const notesOf = (notes: XmlElement): string =>
  shapesOf(notes)
    .filter((shape) => roleOf(shape) === 'body')
    .flatMap(paragraphsOf)
    .join('\n');

/** Shapes and frames, also those in groups. Of content in two versions (AlternateContent), the fallback is skipped. */
function shapesOf(element: XmlElement): XmlElement[] {
  return childElements(element).flatMap((child) => {
    if (child.name === 'sp' || child.name === 'graphicFrame') return [child];
    return child.name === 'Fallback' ? [] : shapesOf(child);
  });
}

/** The type of a placeholder, like `title` or `body`, which is the default. Empty for other shapes. */
function roleOf(shape: XmlElement): string {
  const placeholder = findFirst(shape, 'ph');
  return placeholder ? (placeholder.attributes.type ?? 'body') : '';
}

function paragraphsOf(shape: XmlElement): string[] {
  return findAll(shape, 'p')
    .map((paragraph) => {
      const level = Number(findFirst(paragraph, 'pPr')?.attributes.lvl ?? 0);
      return { level: Math.min(level, 8), text: paragraphText(paragraph) };
    })
    .filter(({ text }) => text !== '')
    .map(({ level, text }) => '  '.repeat(level) + text);
}

const paragraphText = (paragraph: XmlElement): string =>
  childElements(paragraph)
    .map((part) => (part.name === 'br' ? '\n' : part.name === 'r' || part.name === 'fld' ? runText(part) : ''))
    .join('')
    .replace(/[^\S\n]+/g, ' ')
    .trim();

const runText = (run: XmlElement): string => findAll(run, 't').map(textContent).join('');

/** A merged cell is followed by an empty one for each column and row that it covers (ECMA-376 part 1, 21.1.3.16). */
function rowsOf(table: XmlElement): string[] {
  const isHeaderMarked = isTrue(findFirst(table, 'tblPr')?.attributes.firstRow);
  const above: (Cell | undefined)[] = [];
  const rows = findAll(table, 'tr').map((row): Row => {
    const cells = findAll(row, 'tc').map((cell, column): Cell | undefined => {
      const { gridSpan, hMerge, vMerge } = cell.attributes;
      if (isTrue(vMerge)) return above[column] && { ...above[column], isRepeated: true };
      const text = isTrue(hMerge) ? '' : singleLine(paragraphsOf(cell).join(' '));
      above[column] = text ? { column, text, isText: isName(text), span: Number(gridSpan ?? 1) } : undefined;
      return above[column];
    });
    return cells.filter((cell) => cell !== undefined);
  });
  return documentTableTexts({ rows, headerRows: isHeaderMarked && rows[0]?.length ? 1 : undefined });
}

const isTrue = (value: string | undefined) => /^(1|true)$/.test(value ?? '');
