import { contactIngestWorkflowId, contactSyncWorkflowId } from '../../contract/ids.ts';
import type { ContactIngests, Contacts, Crm, Workflows, WorkflowSurvey } from '../../contract/ports/index.ts';
import { reconcileIngestion } from '../../contract/rules/ingestion-reconciliation.ts';
import { startGraceMs } from '../../contract/rules/task-reconciliation.ts';
import type { Logger } from '../../runtime/logger.ts';
import { rowsWithoutRun } from './open-rows.ts';

export type ContactSweepDeps = {
  contacts: Pick<Contacts, 'listTenantsDue'>;
  contactIngests: Pick<ContactIngests, 'end' | 'listOpen'>;
  crm: Crm | undefined;
  workflows: Pick<Workflows, 'ingestContacts' | 'syncContacts'>;
  survey: Pick<WorkflowSurvey, 'describe' | 'runningAmong'>;
  log: Logger;
};

/** Goes on with uploads of contacts that Temporal has lost, ends those that were terminated, and wakes the CRM. */
export async function sweepContacts(deps: ContactSweepDeps, signal: AbortSignal): Promise<void> {
  const { contactIngests, workflows, survey, log } = deps;
  const rows = rowsWithoutRun({
    open: (page) => contactIngests.listOpen(page),
    idOf: ({ ingestId }) => ingestId,
    workflowIdOf: ({ ingestId }) => contactIngestWorkflowId(ingestId),
    survey,
    signal,
  });
  for await (const {
    row: { createdAt, ...ingest },
    describe,
  } of rows) {
    const { ingestId } = ingest;
    try {
      const { status: found } = await describe();
      const status = reconcileIngestion(found, createdAt);
      if (!status) continue;
      // Its lines are all there, and what is stored already is known.
      if (found === 'not_found') await workflows.ingestContacts(ingest);
      else if (!(await contactIngests.end(ingest, status))) continue;
      log.warn({ ingestId, found }, 'an upload of contacts was brought in line with its workflow');
    } catch (error) {
      signal.throwIfAborted();
      log.warn({ err: error, ingestId }, 'an upload of contacts could not be compared with its workflow');
    }
  }
  if (deps.crm) await wakeSync(deps, deps.crm.tenant, signal);
}

/** When contacts are due for long, and no workflow writes any, the request for it was lost. */
async function wakeSync(
  { contacts, workflows, survey }: ContactSweepDeps,
  tenant: string,
  signal: AbortSignal,
): Promise<void> {
  if (!(await contacts.listTenantsDue(startGraceMs)).includes(tenant)) return;
  const running = await survey.runningAmong([contactSyncWorkflowId(tenant)], signal);
  if (!running.has(contactSyncWorkflowId(tenant))) await workflows.syncContacts(tenant);
}
