import { createHttpRecogniser } from '../adapters/ocr/http-recogniser.ts';
import { parseOcrSetting } from '../contract/ocr.ts';
import { createDocumentParser } from '../parsing/document-parser.ts';
import type { Config } from '../runtime/config.ts';

/** The reader of files, with the text recognition of ALFRED_OCR. */
export function createParser(
  config: Pick<Config, 'ALFRED_OCR' | 'ALFRED_OCR_API_KEY'>,
  options: { processes?: number } = {},
) {
  const ocr = parseOcrSetting(config.ALFRED_OCR) ?? { kind: 'off' };
  const recogniser =
    ocr.kind === 'server' ? createHttpRecogniser(ocr.url, { apiKey: config.ALFRED_OCR_API_KEY }) : undefined;
  return createDocumentParser({ ...options, ocr, recogniser });
}
