import type { OcrSetting } from '../../contract/ocr.ts';
import { AlfredError } from '../../contract/errors.ts';
import { fileProblem } from '../file-problem.ts';
import { createTesseract, LanguageMissing } from './tesseract.ts';

/** Reads the text of a picture (PNG, JPEG or TIFF) of the file `name`. @throws AlfredError `file_unreadable` */
export type Recognise = (name: string, picture: Uint8Array) => Promise<string>;

/** What a refusal says about pictures while they are not read. */
export const howToRecognise =
  'Set ALFRED_OCR to have it recognised (docs/reference/documents.md), or run text recognition (OCR) on the file, and add it again.';

/**
 * @param askServer sends a picture to the server of the setting
 * @returns undefined while text recognition is off
 */
export function createRecogniser(
  setting: OcrSetting,
  askServer: (picture: Uint8Array) => Promise<string>,
): Recognise | undefined {
  if (setting.kind === 'off') return undefined;
  const read = setting.kind === 'server' ? askServer : createTesseract(setting.languages);
  return async (name, picture) => {
    try {
      return await read(picture);
    } catch (error) {
      if (error instanceof LanguageMissing) throw fileProblem('file_unreadable', name, `${error.message}.`, error);
      if (error instanceof AlfredError) throw fileProblem('file_unreadable', name, error.message, error);
      throw fileProblem(
        'file_unreadable',
        name,
        'text recognition failed: the picture is damaged, or of a kind that it cannot read. Save it as PNG and add it again.',
        error,
      );
    }
  };
}
