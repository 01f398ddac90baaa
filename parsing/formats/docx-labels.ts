import sax from 'sax';
import { createNumbering, type ParagraphNumber } from './docx-numbering.ts';
import type { OfficePackage } from './office-package.ts';
import { packagePart, readRelations } from './office-xml.ts';
import { replaceZipPart } from './zip-replace.ts';
import type { Unit } from '../chunks/unit.ts';

/** Stands before an inserted label, so that the marker that the list would get otherwise can be replaced. */
const labelMark = '\ue000';

/**
 * Writes the numbers that Word gives to headings, clauses and list items by itself into the text of a document:
 * the library that reads it does not count them.
 */
export async function insertLabels(name: string, file: OfficePackage, bytes: Uint8Array): Promise<Uint8Array> {
  const part = await packagePart(name, file, 'officeDocument', 'word/document.xml');
  if (!file.has(part)) return bytes;
  const relations = [...(await readRelations(name, file, part)).values()];
  const partOf = (kind: string) =>
    relations.find((relation) => relation.kind === kind && file.has(relation.part))?.part;
  const numbering = partOf('numbering');
  if (!numbering) return bytes;
  const label = await createNumbering(name, file, { numbering, styles: partOf('styles') });
  let xml = '';
  for await (const piece of file.pieces(part)) xml += piece;
  return replaceZipPart(
    bytes,
    part,
    Buffer.from(withLabels(xml, label).replace(/^\ufeff?(<\?xml[^>]*?)encoding=["'][^"']*["']/i, '$1encoding="UTF-8"')),
  );
}

/** Puts labels in the place of the markers that lists got without them. */
export const withoutLabelMarks = (units: Unit[]): Unit[] =>
  units.map((unit) => ({ ...unit, text: unit.text.replace(/(?:- |\d+\. )*\ue000/g, '') }));

const isOldVersion = (tag: string) => tag === 'Fallback' || tag === 'pPrChange';

type OpenParagraph = ParagraphNumber & { isInNumber: boolean; prefix: string };

function withLabels(xml: string, label: (paragraph: ParagraphNumber) => string | undefined): string {
  const parser = sax.parser(true, { position: true });
  const open: OpenParagraph[] = [];
  const insertions: { at: number; text: string }[] = [];
  /** Old versions of text boxes and of changed paragraphs, which are not read. */
  let skipped = 0;
  parser.onerror = (error) => {
    throw error;
  };
  parser.onopentag = ({ name: tag, attributes, isSelfClosing }) => {
    const [prefix, local] = tag.includes(':') ? (tag.split(':', 2) as [string, string]) : ['', tag];
    const value = (attributes as Record<string, string>)[prefix ? `${prefix}:val` : 'val'];
    const paragraph = open.at(-1);
    if (isOldVersion(local) && !isSelfClosing) skipped++;
    if (local === 'p' && !isSelfClosing)
      open.push({ style: undefined, list: undefined, level: undefined, isInNumber: false, prefix });
    else if (!paragraph || skipped > 0) return;
    else if (local === 'pStyle') paragraph.style ??= value;
    else if (local === 'numPr') paragraph.isInNumber = !isSelfClosing;
    else if (local === 'numId' && paragraph.isInNumber) paragraph.list ??= value;
    else if (local === 'ilvl' && paragraph.isInNumber) paragraph.level ??= Number(value);
  };
  parser.onclosetag = (tag) => {
    const local = tag.slice(tag.indexOf(':') + 1);
    const paragraph = open.at(-1);
    if (isOldVersion(local)) skipped--;
    if (local === 'p') open.pop();
    if (local === 'numPr' && paragraph) paragraph.isInNumber = false;
    if (local !== 'pPr' || !paragraph || skipped > 0) return;
    const text = label(paragraph);
    if (text === undefined) return;
    const w = paragraph.prefix ? `${paragraph.prefix}:` : '';
    const escaped = text.replace(/&/g, '&amp;').replace(/</g, '&lt;');
    insertions.push({
      at: parser.position,
      text: `<${w}r><${w}t xml:space="preserve">${labelMark}${escaped} </${w}t></${w}r>`,
    });
  };
  parser.write(xml).close();
  let result = '';
  let from = 0;
  for (const { at, text } of insertions) {
    result += xml.slice(from, at) + text;
    from = at;
  }
  return result + xml.slice(from);
}
