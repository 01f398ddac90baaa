import { singleLine } from '../normalise.ts';
import { findAll, childElements, findFirst, textContent, type XmlElement } from './office-xml.ts';
import { tableTexts } from '../chunks/table-rows.ts';
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

function rowsOf(table: XmlElement): string[] {
  const isHeaderMarked = /^(1|true)$/.test(findFirst(table, 'tblPr')?.attributes.firstRow ?? '');
  const rows = findAll(table, 'tr').map((row) =>
    findAll(row, 'tc').map((cell) => singleLine(paragraphsOf(cell).join(' '))),
  );
  return tableTexts(rows, isHeaderMarked);
}
