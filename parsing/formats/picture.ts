import { fileProblem } from '../file-problem.ts';
import { maxImagePixels } from '../recognition/page-picture.ts';
import { pictureSize } from '../recognition/picture-size.ts';
import { howToRecognise, type Recognise } from '../recognition/recogniser.ts';
import { recognisedUnits } from '../recognition/recognised-text.ts';
import type { Outline } from '../chunks/unit.ts';

/**
 * Reads a picture (PNG, JPEG, TIFF) by text recognition.
 *
 * @throws AlfredError `file_type_unsupported` while recognition is off, `file_too_large` or `file_unreadable`
 */
export async function readPicture(name: string, bytes: Uint8Array, recognise: Recognise | undefined): Promise<Outline> {
  if (!recognise)
    throw fileProblem('file_type_unsupported', name, `this is a picture, whose text is not read. ${howToRecognise}`);
  const size = pictureSize(bytes);
  if (!size)
    throw fileProblem('file_unreadable', name, 'the picture is damaged. Save it again as PNG and add it again.');
  if (size.width * size.height > maxImagePixels)
    throw fileProblem(
      'file_too_large',
      name,
      `the picture has ${size.width} × ${size.height} pixels; up to ${maxImagePixels / 1_000_000} million are read. Save it smaller, at 300 dots per inch, and add it again.`,
    );
  if (size.pages > 1)
    throw fileProblem(
      'file_type_unsupported',
      name,
      `the TIFF has ${size.pages} pages, of which only the first would be read. Save it as PDF and add that one.`,
    );
  return { title: undefined, units: recognisedUnits(await recognise(name, bytes), null) };
}
