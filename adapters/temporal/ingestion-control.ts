import type { Client } from '@temporalio/client';
import { AlfredError } from '../../contract/errors.ts';
import { documentsQueue, ingestionWorkflowId } from '../../contract/ids.ts';
import type { Callbacks, Documents, IngestionControl, IngestionRow, Workflows } from '../../contract/ports/index.ts';
import type { Scope } from '../../contract/references.ts';
import { reconcileIngestion } from '../../contract/rules/ingestion-reconciliation.ts';
import { ownerSearchAttributes } from '../../contract/task-start.ts';
import type { Config } from '../../runtime/config.ts';
import { priorityOf } from '../../runtime/priority.ts';
import { withTemporalTimeout } from '../../runtime/with-temporal-timeout.ts';
import { callDeadlineMs } from './deadlines.ts';
import type { ReadReconciled } from './read-reconciled.ts';
import { onceAtOnce, startWorkflow } from './start-workflow.ts';

export type IngestionControlDeps = {
  client: Client;
  config: Pick<Config, 'ALFRED_TENANTS'>;
  documents: Pick<Documents, 'createIngestion' | 'endIngestion' | 'getIngestion' | 'retryIngestion'>;
  callbacks: Pick<Callbacks, 'get' | 'redeliver'>;
  workflows: Pick<Workflows, 'deliverCallback'>;
};
type Deps = IngestionControlDeps & { readReconciled: ReadReconciled };

export const createIngestionControl = (deps: Deps): IngestionControl => ({
  async checkTemporal() {
    const { client } = deps;
    await withTemporalTimeout(client, callDeadlineMs, () => client.workflowService.getSystemInfo({}));
  },

  read: (scope, ingestionId) => read(deps, scope, ingestionId),

  async create(principal, files, placement, callback) {
    const { documents } = deps;
    const ingestionId = await documents.createIngestion(principal, files, placement, callback);
    try {
      await start(deps, principal, ingestionId);
    } catch (error) {
      // The caller never gets this upload's id and sends the files again.
      await documents.endIngestion(principal, ingestionId, 'failed', { isKnown: false }).catch(() => undefined);
      throw error;
    }
    const row = await documents.getIngestion(principal, ingestionId);
    if (!row) throw new AlfredError('internal');
    return row;
  },

  async retry(scope, ingestionId) {
    // An upload whose workflow is gone is no longer running, and can be retried.
    if (!(await read(deps, scope, ingestionId))) return undefined;
    let row = await retryOnce(deps, scope, ingestionId);
    // The retry under way turned out to be over: make a new one.
    if (row && (row.status === 'failed' || row.status === 'cancelled')) row = await retryOnce(deps, scope, ingestionId);
    // When the start fails, the caller's repeat finds this ingestion and starts it.
    if (row) await start(deps, scope, row.id);
    return row;
  },

  async repeatCallback(scope, ingestionId) {
    const { callbacks, client, workflows } = deps;
    const row = await read(deps, scope, ingestionId);
    if (!row) return undefined;
    const callback = { ingestionId, tenant: scope.tenant, subject: scope.subject };
    if (!(await callbacks.get(callback)))
      throw new AlfredError('callback_missing', `The ingestion ${ingestionId} has no callback.`);
    if (row.status === 'running')
      throw new AlfredError(
        'ingestion_running',
        `The ingestion ${ingestionId} is running; its callback follows when it has ended.`,
      );
    // When Temporal does not answer now, the sweep finds the row and delivers.
    await callbacks.redeliver(callback);
    await withTemporalTimeout(client, callDeadlineMs, () => workflows.deliverCallback(callback, { restart: true }));
    return row;
  },
});

async function retryOnce(deps: Deps, scope: Scope, ingestionId: string): Promise<IngestionRow | undefined> {
  const retryId = await deps.documents.retryIngestion(scope, ingestionId);
  return retryId === undefined ? undefined : read(deps, scope, retryId);
}

const read = ({ documents, readReconciled }: Deps, scope: Scope, ingestionId: string) =>
  readReconciled<IngestionRow>({
    workflowId: ingestionWorkflowId(ingestionId),
    read: () => documents.getIngestion(scope, ingestionId),
    canBeStale: ({ status }) => status === 'running',
    async correct({ createdAt }, { status }) {
      const end = reconcileIngestion(status, new Date(createdAt));
      if (!end) return false;
      // Ends the row only if it is still running: the workflow writes its end to the row before it ends itself.
      await documents.endIngestion(scope, ingestionId, end);
      return true;
    },
  });

const start = ({ client, config }: Deps, { tenant, subject }: Scope, ingestionId: string) =>
  withTemporalTimeout(client, callDeadlineMs, () =>
    startWorkflow(client, 'ingestWorkflow', {
      workflowId: ingestionWorkflowId(ingestionId),
      taskQueue: documentsQueue,
      args: [{ ingestionId, tenant, subject }],
      ...onceAtOnce,
      priority: priorityOf(config, tenant),
      typedSearchAttributes: ownerSearchAttributes({ tenant }),
      staticSummary: `documents · ingestion ${ingestionId}`,
    }),
  );
