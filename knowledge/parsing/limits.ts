import { fileProblem } from './file-problem.ts';

/** Fourteen thousand chunks, four times the Bible. What is larger is a data set or an attack, and no reader's document. */
export const maxTextCharacters = 20_000_000;
/** Rows of tables and lines of data, all sheets together. */
export const maxRows = 100_000;
export const maxPages = 5_000;
/** What the parts of an Office file that are read may unpack to. */
export const maxUnpackedBytes = 256 * 1024 * 1024;

const many = (count: number) => count.toLocaleString('en');

export const tooManyPages = (name: string, pages: number) =>
  fileProblem(
    'file_too_large',
    name,
    `the PDF has ${many(pages)} pages; up to ${many(maxPages)} are read. Split it and add the parts.`,
  );

export const unpacksTooFar = (name: string) =>
  fileProblem(
    'file_too_large',
    name,
    'the file unpacks to more than 256 MB. Save it again, without large pictures, and add it again.',
  );

/** @throws AlfredError `file_too_large` */
export function refuseLongText(name: string, characters: number) {
  if (characters <= maxTextCharacters) return;
  throw fileProblem(
    'file_too_large',
    name,
    `the file holds more than ${many(maxTextCharacters / 1_000_000)} million characters. Split it and add the parts.`,
  );
}

export type RowCounter = {
  /** A row with so many characters was met. @throws AlfredError `file_too_large` */
  met(characters: number): void;
  /** This is what became of one, with its header repeated. @throws AlfredError `file_too_large` */
  wrote(text: string): string;
};

/** Counts while a table is read, so that a small file that stands for a huge one is stopped on its way. */
export function countRows(name: string): RowCounter {
  let rows = 0;
  let read = 0;
  let written = 0;
  return {
    met: (characters) => {
      refuseLongText(name, (read += characters));
      if (++rows <= maxRows) return;
      throw fileProblem(
        'file_too_large',
        name,
        `the file has more than ${many(maxRows)} rows. Add the part that people ask about, or a summary of it.`,
      );
    },
    wrote: (text) => {
      refuseLongText(name, (written += text.length + 1));
      return text;
    },
  };
}
