/** Rows per page. */
export const pageSize = 200;
/** A row that changed more recently than this is skipped: its workflow may still be writing it. In milliseconds. */
const settledMs = 5_000;

type Page = { olderThanMs: number; after: string | undefined; limit: number };

/** Yields the open rows in pages; each page starts after the last id of the one before. */
export async function* openRows<Row>({
  open,
  idOf,
  olderThanMs = settledMs,
}: {
  open: (page: Page) => Promise<Row[]>;
  idOf: (row: Row) => string;
  olderThanMs?: number;
}): AsyncIterable<Row[]> {
  let last: Row | undefined;
  do {
    const page = await open({ olderThanMs, after: last && idOf(last), limit: pageSize });
    yield page;
    last = page.length === pageSize ? page.at(-1) : undefined;
  } while (last !== undefined);
}
