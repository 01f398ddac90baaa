/**
 * The common form of all formats: headings, and the smallest pieces of text that belong together (a paragraph, a list
 * item with its sub-items, a table row). A `tight` piece follows on the next line, without an empty line before it.
 */
export type Unit =
  | { kind: 'heading'; depth: number; text: string; page: number | null }
  | { kind: 'body'; text: string; tight: boolean; page: number | null };

/**
 * The content of a file. `title` comes from its metadata. Without one the first heading of the highest level is the
 * title, unless headings only name parts of the file, like the sheets of a workbook (`headingsNameParts`).
 */
export type Outline = {
  title: string | undefined;
  units: Unit[];
  headingsNameParts?: boolean;
  /** What was left out, in sentences for people. */
  notes?: string[];
  /** Whether it may have text in pictures that were not read, because text recognition is off. */
  unreadPictures?: boolean;
};

export const body = (
  text: string,
  { tight = false, page = null }: { tight?: boolean; page?: number | null } = {},
): Unit => ({ kind: 'body', text, tight, page });
