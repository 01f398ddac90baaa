import mammoth from 'mammoth';
import { fileProblem } from './file-problem.ts';
import { readHtml } from './html.ts';
import type { Outline } from './unit.ts';
import { readZipDirectory, unpacksWithin } from './zip-directory.ts';

/** A .docx is XML in a zip; what unpacks to more than this is made to fill memory. */
const maxUnpackedBytes = 256 * 1024 * 1024;

/** @throws AlfredError `file_unreadable` when the package is broken or unpacks without bounds */
export async function readDocx(name: string, bytes: Uint8Array): Promise<Outline> {
  if (!unpacksWithin(bytes, readZipDirectory(bytes) ?? [], maxUnpackedBytes)) {
    throw fileProblem(
      'file_unreadable',
      name,
      'the file is damaged, or unpacks to more than 256 MB. Save it again, without large pictures, and add it again.',
    );
  }
  const { value } = await mammoth.convertToHtml(
    { buffer: Buffer.from(bytes) },
    {
      styleMap: ["p[style-name='Title'] => h1:fresh"],
      // Pictures hold no text, and as data addresses they would fill memory.
      convertImage: mammoth.images.imgElement(async () => ({ src: '' })),
      externalFileAccess: false,
    },
  );
  return readHtml(value);
}
