import { getFormatFromId } from 'numfmt';
import { singleLine } from '../normalise.ts';
import type { OfficePackage } from './office-package.ts';
import { allOf, elementsOf, firstOf, readPart, treeOf } from './office-xml.ts';

/** What cells refer to by number: the texts that they share, in order, each as one line. */
export async function readSharedTexts(name: string, file: OfficePackage, part: string | undefined): Promise<string[]> {
  const texts: string[] = [];
  if (!part) return texts;
  let text = '';
  let isText = false;
  let isReading = false;
  await readPart(name, file, part, {
    opened: (tag) => {
      if (tag === 'si') text = '';
      // How a Japanese word is pronounced stands beside it, as if it were a second text.
      if (tag === 'rPh') isReading = true;
      isText = tag === 't' && !isReading;
    },
    text: (piece) => {
      if (isText) text += piece;
    },
    closed: (tag) => {
      if (tag === 'si') texts.push(singleLine(text));
      if (tag === 'rPh') isReading = false;
      isText = false;
    },
  });
  return texts;
}

/** The number format of each cell style, in order (ECMA-376 part 1, 18.8.30). */
export async function readNumberFormats(
  name: string,
  file: OfficePackage,
  part: string | undefined,
): Promise<string[]> {
  if (!part) return [];
  const styles = await treeOf(name, file, part);
  const own = new Map(
    allOf(styles, 'numFmt').map(({ attributes }) => [Number(attributes.numFmtId), attributes.formatCode ?? 'General']),
  );
  const cellStyles = firstOf(styles, 'cellXfs');
  return (cellStyles ? elementsOf(cellStyles) : []).map(({ attributes }) => {
    const id = Number(attributes.numFmtId ?? 0);
    return own.get(id) ?? getFormatFromId(id) ?? 'General';
  });
}
