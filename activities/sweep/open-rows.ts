import type { WorkflowSurvey, WorkflowState } from '../../contract/ports/index.ts';

/** Rows per page. Their workflows are asked for with one request to Temporal. */
export const pageSize = 200;
/** A row that changed more recently than this is skipped: its workflow may still be writing it. In milliseconds. */
const settledMs = 5_000;

type Page = { olderThanMs: number; after: string | undefined; limit: number };
type Options<Row> = {
  open: (page: Page) => Promise<Row[]>;
  idOf: (row: Row) => string;
  workflowIdOf: (row: Row) => string;
  olderThanMs?: number;
  survey: Pick<WorkflowSurvey, 'describe' | 'runningAmong'>;
  signal: AbortSignal;
};

/**
 * Yields the open rows whose workflow does not run, with what Temporal reports about it. Temporal's list shows which
 * workflows run. It lags behind, so that the others are described.
 */
export async function* rowsWithoutRun<Row>({
  open,
  idOf,
  workflowIdOf,
  olderThanMs = settledMs,
  survey,
  signal,
}: Options<Row>): AsyncIterable<{ row: Row; describe: () => Promise<WorkflowState> }> {
  let last: Row | undefined;
  do {
    const page = await open({ olderThanMs, after: last && idOf(last), limit: pageSize });
    const running = await survey.runningAmong(page.map(workflowIdOf), signal);
    for (const row of page) {
      signal.throwIfAborted();
      if (!running.has(workflowIdOf(row))) yield { row, describe: () => survey.describe(workflowIdOf(row), signal) };
    }
    last = page.length === pageSize ? page.at(-1) : undefined;
  } while (last !== undefined);
}
