import { getFormatFromId } from 'numfmt';
import { singleLine } from '../normalise.ts';
import type { OfficePackage } from './office-package.ts';
import { findAll, childElements, findFirst, readPart, readTree } from './office-xml.ts';

/** The shared texts of a workbook, each as one line. Cells refer to them by index. */
export async function readSharedTexts(name: string, file: OfficePackage, part: string | undefined): Promise<string[]> {
  const texts: string[] = [];
  if (!part) return texts;
  let text = '';
  let isText = false;
  let isPhonetic = false;
  await readPart(name, file, part, {
    opened: (tag) => {
      if (tag === 'si') text = '';
      // The pronunciation of a Japanese word (rPh) has text elements of its own, which are skipped.
      if (tag === 'rPh') isPhonetic = true;
      isText = tag === 't' && !isPhonetic;
    },
    text: (piece) => {
      if (isText) text += piece;
    },
    closed: (tag) => {
      if (tag === 'si') texts.push(singleLine(text));
      if (tag === 'rPh') isPhonetic = false;
      isText = false;
    },
  });
  return texts;
}

/** The number format of each cell style, by the index of the style (ECMA-376 part 1, 18.8.30). */
export async function readNumberFormats(
  name: string,
  file: OfficePackage,
  part: string | undefined,
): Promise<string[]> {
  if (!part) return [];
  const styles = await readTree(name, file, part);
  const customFormats = new Map(
    findAll(styles, 'numFmt').map(({ attributes }) => [
      Number(attributes.numFmtId),
      attributes.formatCode ?? 'General',
    ]),
  );
  const cellStyles = findFirst(styles, 'cellXfs');
  return (cellStyles ? childElements(cellStyles) : []).map(({ attributes }) => {
    const id = Number(attributes.numFmtId ?? 0);
    return customFormats.get(id) ?? getFormatFromId(id) ?? 'General';
  });
}
