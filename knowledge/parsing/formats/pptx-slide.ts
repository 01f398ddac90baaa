import { singleLine } from '../normalise.ts';
import { allOf, elementsOf, firstOf, textOf, type XmlElement } from './office-xml.ts';
import { tableTexts } from '../chunks/table-rows.ts';
import { body, type Unit } from '../chunks/unit.ts';

/** The same on every slide. */
const furniture = new Set(['dt', 'ftr', 'hdr', 'sldNum', 'sldImg']);
const titles = new Set(['title', 'ctrTitle']);

/** The title's line, or an empty one. */
export function titleOfSlide(slide: XmlElement): string {
  const title = shapesOf(slide).find((shape) => titles.has(roleOf(shape)));
  return title ? singleLine(paragraphsOf(title).join(' ')) : '';
}

/** Everything but the title, in the order of the file, which is also the order of a screen reader. */
export const slideUnits = (slide: XmlElement, page: number): Unit[] =>
  shapesOf(slide)
    .filter((shape) => !titles.has(roleOf(shape)) && !furniture.has(roleOf(shape)))
    .flatMap((shape) => {
      const table = firstOf(shape, 'tbl');
      const pieces = table ? rowsOf(table) : paragraphsOf(shape);
      return pieces.map((text, index) => body(text, { tight: index > 0, page }));
    });

export const notesOf = (notes: XmlElement): string =>
  shapesOf(notes)
    .filter((shape) => roleOf(shape) === 'body')
    .flatMap(paragraphsOf)
    .join('\n');

/** Shapes and frames, those in groups too. A picture in two versions (AlternateContent) is taken once. */
function shapesOf(element: XmlElement): XmlElement[] {
  return elementsOf(element).flatMap((child) => {
    if (child.name === 'sp' || child.name === 'graphicFrame') return [child];
    return child.name === 'Fallback' ? [] : shapesOf(child);
  });
}

/** What a shape is for: `title`, `body`, … A placeholder that does not say is a body; other shapes are nothing special. */
function roleOf(shape: XmlElement): string {
  const placeholder = firstOf(shape, 'ph');
  return placeholder ? (placeholder.attributes.type ?? 'body') : '';
}

function paragraphsOf(shape: XmlElement): string[] {
  return allOf(shape, 'p')
    .map((paragraph) => {
      const level = Number(firstOf(paragraph, 'pPr')?.attributes.lvl ?? 0);
      return { level: Math.min(level, 8), text: paragraphText(paragraph) };
    })
    .filter(({ text }) => text !== '')
    .map(({ level, text }) => '  '.repeat(level) + text);
}

const paragraphText = (paragraph: XmlElement): string =>
  elementsOf(paragraph)
    .map((part) => (part.name === 'br' ? '\n' : part.name === 'r' || part.name === 'fld' ? runText(part) : ''))
    .join('')
    .replace(/[^\S\n]+/g, ' ')
    .trim();

const runText = (run: XmlElement): string => allOf(run, 't').map(textOf).join('');

function rowsOf(table: XmlElement): string[] {
  const isHeaderMarked = /^(1|true)$/.test(firstOf(table, 'tblPr')?.attributes.firstRow ?? '');
  const rows = allOf(table, 'tr').map((row) =>
    allOf(row, 'tc').map((cell) => singleLine(paragraphsOf(cell).join(' '))),
  );
  return tableTexts(rows, isHeaderMarked);
}
