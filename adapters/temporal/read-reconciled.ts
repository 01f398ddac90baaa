import type { Client } from '@temporalio/client';
import type { Workflows, WorkflowState } from '../../contract/ports/index.ts';
import { withTemporalTimeout } from '../../runtime/with-temporal-timeout.ts';
import { describeDeadlineMs } from './deadlines.ts';

/** A row that changes with every read is left to the next reader. */
const maxCorrections = 3;

type Reconciliation<Row> = {
  workflowId: string;
  read: () => Promise<Row | undefined>;
  /**
   * Whether the row can disagree with its workflow. Without it every row can, and Temporal is asked during the first
   * read.
   */
  canBeStale?: (row: Row) => boolean;
  /**
   * Changes the row when it disagrees with its workflow. It must check the row once more in its own statement, because
   * the workflow may write to the row after `row` was read.
   *
   * @returns whether the row has to be read again
   */
  correct: (row: Row, state: WorkflowState) => Promise<boolean>;
};

/**
 * Reads rows and first brings them in line with their workflows: a workflow may have been terminated, reset or lost
 * without writing its end to the row. When Temporal does not answer in time, the row is returned as it stands.
 *
 * A workflow that Temporal does not know changes no row here: it may be the wrong Temporal, or one that was restored
 * from a backup. The sweep finds that out before it judges.
 */
export const createReconciledReader = ({ client, workflows }: { client: Client; workflows: Workflows }) => {
  async function describe(workflowId: string): Promise<WorkflowState | undefined> {
    try {
      return await withTemporalTimeout(client, describeDeadlineMs, () => workflows.describe(workflowId));
    } catch {
      return undefined;
    }
  }

  return async <Row>({ workflowId, read, canBeStale, correct }: Reconciliation<Row>): Promise<Row | undefined> => {
    const early = canBeStale ? undefined : describe(workflowId);
    let row = await read();
    if (!row || canBeStale?.(row) === false) return row;
    const state = await (early ?? describe(workflowId));
    if (!state || state.status === 'not_found') return row;
    for (let corrections = 0; corrections < maxCorrections && (await correct(row, state)); corrections++) {
      const current = await read();
      if (!current || canBeStale?.(current) === false) return current;
      row = current;
    }
    return row;
  };
};
export type ReadReconciled = ReturnType<typeof createReconciledReader>;
