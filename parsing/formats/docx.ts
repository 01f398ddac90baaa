import mammoth from 'mammoth';
import { fileProblem } from '../file-problem.ts';
import { insertLabels, withoutLabelMarks } from './docx-labels.ts';
import { readHtml } from './html.ts';
import { maxUnpackedBytes, unpacksTooFar } from '../limits.ts';
import { openOfficePackage, type OfficePackage } from './office-package.ts';
import { entitiesDeclared, readTitle } from './office-xml.ts';
import type { Outline } from '../chunks/unit.ts';
import { readZipDirectory, unpacksWithin } from './zip-directory.ts';

/**
 * Reads a Word document, with the numbers that Word gives to headings and list items. Macros (.docm) are not read.
 *
 * @throws AlfredError `file_unreadable` when the package is broken, `file_too_large` when it unpacks without bounds
 */
export async function readDocx(name: string, bytes: Uint8Array): Promise<Outline> {
  const unpacks = unpacksWithin(bytes, readZipDirectory(bytes) ?? [], maxUnpackedBytes);
  if (unpacks === 'too far') throw unpacksTooFar(name);
  if (unpacks === 'broken')
    throw fileProblem('file_unreadable', name, 'the file is damaged. Copy or save it again and add it again.');
  const file = openOfficePackage(name, bytes);
  await refuseEntities(name, file);
  const { value } = await mammoth.convertToHtml(
    { buffer: Buffer.from(await insertLabels(name, file, bytes)) },
    {
      styleMap: ["p[style-name='Title'] => h1:fresh"],
      // Pictures have no text, and as data URLs they would fill the memory.
      convertImage: mammoth.images.imgElement(async () => ({ src: '' })),
      externalFileAccess: false,
    },
  );
  return { title: await readTitle(name, file), units: withoutLabelMarks(readHtml(value).units) };
}

/**
 * Refuses files that declare XML entities: no Office program writes them, so they are an attack. The library's parser
 * would not expand them.
 */
async function refuseEntities(name: string, file: OfficePackage) {
  for (const part of file.parts.filter((part) => /\.(xml|rels)$/.test(part))) {
    for await (const beginning of file.pieces(part)) {
      if (/<!DOCTYPE/i.test(beginning)) throw entitiesDeclared(name, part);
      break;
    }
  }
}
