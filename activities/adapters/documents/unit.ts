/**
 * What every format comes down to: headings, and the smallest pieces that belong together (a paragraph, a list item with
 * what is under it, a table row). `tight` ones follow the piece before on the next line.
 */
export type Unit =
  | { kind: 'heading'; depth: number; text: string; page: number | null }
  | { kind: 'body'; text: string; tight: boolean; page: number | null };

export type Outline = { title: string | undefined; units: Unit[] };

export const body = (
  text: string,
  { tight = false, page = null }: { tight?: boolean; page?: number | null } = {},
): Unit => ({ kind: 'body', text, tight, page });
