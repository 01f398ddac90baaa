/**
 * What every format comes down to: headings, and the smallest pieces that belong together (a paragraph, a list item with
 * what is under it, a table row). `tight` ones follow the piece before on the next line.
 */
export type Unit =
  | { kind: 'heading'; depth: number; text: string; page: number | null }
  | { kind: 'body'; text: string; tight: boolean; page: number | null };

/**
 * What a file holds. `title` is what it says of itself apart from its text: a document's first heading comes before it,
 * unless the headings only name parts, like the sheets of a workbook.
 */
export type Outline = { title: string | undefined; units: Unit[]; headingsNameParts?: boolean };

export const body = (
  text: string,
  { tight = false, page = null }: { tight?: boolean; page?: number | null } = {},
): Unit => ({ kind: 'body', text, tight, page });
