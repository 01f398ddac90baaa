import { fileProblem } from './file-problem.ts';

/** About 14,000 chunks, four times the Bible. Larger texts are data sets or attacks, not documents that people read. */
export const maxTextCharacters = 20_000_000;
/** Rows of tables and lines of data in one file, over all sheets. */
export const maxRows = 100_000;
export const maxPages = 5_000;
/** The unpacked size of those parts of an Office file that are read. */
export const maxUnpackedBytes = 256 * 1024 * 1024;

const formatCount = (count: number) => count.toLocaleString('en');

export const tooManyPages = (name: string, pages: number) =>
  fileProblem(
    'file_too_large',
    name,
    `the PDF has ${formatCount(pages)} pages; up to ${formatCount(maxPages)} are read. Split it and add the parts.`,
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
    `the file holds more than ${formatCount(maxTextCharacters / 1_000_000)} million characters. Split it and add the parts.`,
  );
}

export type RowCounter = {
  /** Counts a row that was read, with its length in characters. @throws AlfredError `file_too_large` */
  countRead(characters: number): void;
  /** Counts the text of a row, which repeats the header. @returns the text. @throws AlfredError `file_too_large` */
  countWritten(text: string): string;
};

/** Counts rows while a file is read, so that a small file that expands to a huge one is stopped early. */
export function countRows(name: string): RowCounter {
  let rows = 0;
  let read = 0;
  let written = 0;
  return {
    countRead: (characters) => {
      read += characters;
      refuseLongText(name, read);
      rows++;
      // And a header.
      if (rows <= maxRows + 1) return;
      throw fileProblem(
        'file_too_large',
        name,
        `the file has more than ${formatCount(maxRows)} rows. Add the part that people ask about, or a summary of it.`,
      );
    },
    countWritten: (text) => {
      written += text.length + 1;
      refuseLongText(name, written);
      return text;
    },
  };
}
