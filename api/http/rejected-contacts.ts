import type { RejectedLine } from '../../contract/ports/index.ts';
import { lineColumn, reasonColumn } from '../../contract/rules/contacts/contact-fields.ts';
import { neutralCell } from '../../contract/rules/contacts/neutral-cell.ts';

type ReadPage = (after: number, limit: number) => Promise<RejectedLine[]>;

const pageSize = 1_000;

async function* pages(read: ReadPage): AsyncGenerator<RejectedLine[]> {
  let after = -1;
  while (true) {
    const lines = await read(after, pageSize);
    if (lines.length > 0) yield lines;
    after = lines.at(-1)?.line ?? after;
    if (lines.length < pageSize) return;
  }
}

/**
 * Rejected lines as CSV, with their columns as they came.
 *
 * @param columns undefined: those that any of the lines has
 */
export async function* rejectedCsv(read: ReadPage, columns: string[] | undefined): AsyncGenerator<string> {
  let names = columns;
  if (!names) {
    const found = new Set<string>();
    for await (const lines of pages(read))
      for (const { fields } of lines) Object.keys(fields).forEach((key) => found.add(key));
    names = [...found];
  }
  const own = [lineColumn, reasonColumn];
  const given = names.filter((name) => !own.includes(name.toLowerCase()));
  // Excel takes a CSV for UTF-8 with this mark only.
  yield `\uFEFF${rowOf([...own, ...given])}`;
  for await (const lines of pages(read))
    yield lines
      .map(({ line, reason, fields }) => rowOf([String(line), reason, ...given.map((name) => fields[name] ?? '')]))
      .join('');
}

/** Rejected lines as JSON, one a line. */
export async function* rejectedJsonLines(read: ReadPage): AsyncGenerator<string> {
  for await (const lines of pages(read))
    yield lines
      .map(
        ({ line, reason, fields }) => `${JSON.stringify({ [lineColumn]: line, [reasonColumn]: reason, ...fields })}\n`,
      )
      .join('');
}

const rowOf = (cells: readonly string[]) => `${cells.map(cellOf).join(',')}\r\n`;

function cellOf(text: string): string {
  const cell = neutralCell(text);
  return /[",\r\n;\t]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
