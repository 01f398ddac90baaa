import type { Client } from '@temporalio/client';
import { contactIngestWorkflowId, contactSyncWorkflowId, signalName, systemQueue } from '../../contract/ids.ts';
import type { ContactControl, ContactIngests, Contacts, Workflows } from '../../contract/ports/index.ts';
import type { ContactIngestRef, Scope } from '../../contract/references.ts';
import { reconcileIngestion } from '../../contract/rules/ingestion-reconciliation.ts';
import { ownerSearchAttributes } from '../../contract/task-start.ts';
import type { Config } from '../../runtime/config.ts';
import type { Logger } from '../../runtime/logger.ts';
import { priorityOf } from '../../runtime/priority.ts';
import { withTemporalTimeout } from '../../runtime/with-temporal-timeout.ts';
import { callDeadlineMs } from './deadlines.ts';
import type { ReadReconciled } from './read-reconciled.ts';
import { onceAtOnce, signalWithStart, startWorkflow, workflowTaskTimeout } from './start-workflow.ts';

export type ContactControlDeps = {
  client: Client;
  config: Pick<Config, 'ALFRED_TENANTS' | 'ALFRED_CRM' | 'ALFRED_CRM_TENANT'>;
  contacts: Pick<Contacts, 'undoMerge'>;
  contactIngests: Pick<ContactIngests, 'receive' | 'get' | 'end' | 'remove'>;
  workflows: Pick<Workflows, 'syncContacts'>;
  log: Logger;
};
type Deps = ContactControlDeps & { readReconciled: ReadReconciled };

export const createContactControl = (deps: Deps): ContactControl => {
  const { client, config, contacts, contactIngests, workflows, log } = deps;
  const refOf = ({ tenant, subject }: Scope, ingestId: string) => ({ ingestId, tenant, subject });
  const read: ContactControl['read'] = (by, ingestId) =>
    deps.readReconciled({
      workflowId: contactIngestWorkflowId(ingestId),
      read: () => contactIngests.get(by, ingestId),
      canBeStale: ({ status }) => status === 'running',
      async correct({ createdAt }, { status }) {
        const end = reconcileIngestion(status, new Date(createdAt));
        if (!end) return false;
        await contactIngests.end(refOf(by, ingestId), end);
        return true;
      },
    });

  return {
    read,

    async checkTemporal() {
      await withTemporalTimeout(client, callDeadlineMs, () => client.workflowService.getSystemInfo({}));
    },

    async ingest(by, upload, bytes) {
      const { ingest, isNew } = await contactIngests.receive(by, upload, bytes);
      try {
        // Also for a repeat: the start before may have failed.
        if (ingest.endedAt === null)
          await withTemporalTimeout(client, callDeadlineMs, () =>
            startContactIngest(client, config, refOf(by, ingest.id)),
          );
      } catch (error) {
        // Without its id the caller sends it again: with a key that is this upload, which the sweep may have begun.
        if (isNew && upload.idempotencyKey === undefined)
          await contactIngests.remove(refOf(by, ingest.id)).catch(() => undefined);
        throw error;
      }
      return (await contactIngests.get(by, ingest.id)) ?? ingest;
    },

    async cancel(by, ingestId) {
      // Waits for the batch under way. The workflow then finds that nothing is left to do.
      await contactIngests.end(refOf(by, ingestId), 'cancelled');
      return contactIngests.get(by, ingestId);
    },

    async undoMerge(tenant, mergeId) {
      const merge = await contacts.undoMerge(tenant, mergeId);
      // When Temporal does not answer now, the sweep finds what is due.
      if (merge && config.ALFRED_CRM !== 'none' && config.ALFRED_CRM_TENANT === tenant)
        await workflows.syncContacts(tenant).catch((error: unknown) => {
          log.warn({ err: error }, 'contacts could not be begun to be written to the CRM');
        });
      return merge;
    },
  };
};

export const startContactIngest = (
  client: Client,
  config: Pick<Config, 'ALFRED_TENANTS'>,
  { ingestId, tenant, subject }: ContactIngestRef,
) =>
  startWorkflow(client, 'contactIngestWorkflow', {
    workflowId: contactIngestWorkflowId(ingestId),
    taskQueue: systemQueue,
    args: [{ ingestId, tenant, subject }],
    ...onceAtOnce,
    priority: priorityOf(config, tenant),
    typedSearchAttributes: ownerSearchAttributes({ tenant }),
    staticSummary: `contacts · upload ${ingestId}`,
  });

/** One workflow of a tenant writes to the CRM. One that runs gets a signal, and reads the rows once more. */
export const startContactSync = (client: Client, tenant: string) =>
  signalWithStart(client, 'contactSyncWorkflow', {
    workflowId: contactSyncWorkflowId(tenant),
    taskQueue: systemQueue,
    args: [{ tenant }],
    signal: signalName.wake,
    workflowTaskTimeout,
    typedSearchAttributes: ownerSearchAttributes({ tenant }),
    staticSummary: 'contacts · CRM',
  });
