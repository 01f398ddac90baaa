import { copyFile, mkdtemp, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Worker } from 'tesseract.js';

/** A language of ALFRED_OCR has no data on this machine. */
export class LanguageMissing extends Error {
  constructor(language: string, cause: unknown) {
    super(
      `ALFRED_OCR names the language "${language}", whose data is not installed. Install it (npm install @tesseract.js-data/${language}), or take it out of ALFRED_OCR`,
      { cause },
    );
  }
}

/** Of 100. Maps and photos give letters at random, with less. */
const minConfidence = 40;

/**
 * Tesseract in a thread of this process, with the data of npm packages: nothing is fetched. It starts with the first
 * picture, which takes about a second, and is kept for later ones.
 *
 * @param languages as Tesseract names them, like `eng` or `deu`
 * @returns a function that reads the text of a PNG, JPEG or TIFF. @throws LanguageMissing, or an error of Tesseract
 */
export function createTesseract(languages: string[]): (picture: Uint8Array) => Promise<string> {
  let started: Promise<Worker> | undefined;
  return async (picture) => {
    // A start that failed is not kept: the next picture tries again.
    started ??= start(languages).catch((error: unknown) => {
      started = undefined;
      throw error;
    });
    const worker = await started;
    const { data } = await worker.recognize(Buffer.from(picture));
    return data.confidence < minConfidence ? '' : data.text;
  };
}

/** Tesseract takes the data of all languages from one folder, so the packages' files are copied into one. */
async function start(languages: string[]): Promise<Worker> {
  const files = await Promise.all(languages.map(dataFile));
  const { createWorker, OEM } = await import('tesseract.js');
  const langPath = await mkdtemp(join(tmpdir(), 'alfred-ocr-'));
  try {
    for (const [index, file] of files.entries())
      await copyFile(file, join(langPath, `${languages[index]}.traineddata.gz`));
    return await new Promise<Worker>((resolve, reject) => {
      // The promise of `createWorker` never settles when the data is damaged; this handler is called then.
      const errorHandler = (error: unknown) => reject(error instanceof Error ? error : new Error(String(error)));
      createWorker(languages, OEM.LSTM_ONLY, { langPath, gzip: true, cacheMethod: 'none', errorHandler }).then(
        resolve,
        reject,
      );
    });
  } finally {
    await rm(langPath, { recursive: true, force: true });
  }
}

/** The packages hold small integer models, and in older ones only large models. */
const dataFolders = ['4.0.0_best_int', '4.0.0'];

async function dataFile(language: string): Promise<string> {
  try {
    const root = dirname(createRequire(import.meta.url).resolve(`@tesseract.js-data/${language}/package.json`));
    const files = dataFolders.map((folder) => join(root, folder, `${language}.traineddata.gz`));
    for (const file of files) if (await stat(file).catch(() => undefined)) return file;
    throw new Error(`none of ${files.join(', ')} is there`);
  } catch (error) {
    throw new LanguageMissing(language, error);
  }
}
