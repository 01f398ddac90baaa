import { z } from 'zod';
import { parseOcrSetting } from '../../contract/ocr.ts';

/** Variables for reading documents. */
export const documents = {
  ALFRED_OCR: z
    .string()
    .refine((value) => parseOcrSetting(value) !== undefined, {
      error: 'expected off, tesseract, tesseract:eng+deu, or the address of a server, http://host:port/path',
    })
    .default('off')
    .describe(
      'what reads the text of scans and pictures: off; tesseract, on this machine and in English; tesseract:eng+deu, with languages whose data is installed (@tesseract.js-data/deu); an address, a server that gets each picture',
    ),
  ALFRED_OCR_API_KEY: z.string().min(1).optional().describe('key for that server, sent as a bearer token'),
} as const;
