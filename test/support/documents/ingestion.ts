import type { Client } from '@temporalio/client';
import type { Adapters } from '../../../wiring/adapters.ts';
import type { UploadedFile } from '../../../contract/ports/index.ts';
import { documentsQueue, ingestionWorkflowId } from '../../../contract/ids.ts';
import type { Scope } from '../../../contract/references.ts';
import type { ingestWorkflow } from '../../../workflows/ingest/workflow.ts';
import { defaultPlacement } from './put-document.ts';

type IngestionDeps = { client: Client; documents: Adapters['documents'] };

/** Starts an ingestion as the API does. `state` reads its row. */
export async function startIngestion({ client, documents }: IngestionDeps, scope: Scope, files: UploadedFile[]) {
  const ingestionId = await documents.createIngestion(scope, files, defaultPlacement);
  const handle = await client.workflow.start<typeof ingestWorkflow>('ingestWorkflow', {
    workflowId: ingestionWorkflowId(ingestionId),
    taskQueue: documentsQueue,
    args: [{ ingestionId, ...scope }],
    workflowTaskTimeout: '5 s',
  });
  const state = async () => {
    const found = await documents.getIngestion(scope, ingestionId);
    if (!found) throw new Error(`no ingestion ${ingestionId}`);
    return found;
  };
  return { ingestionId, handle, state };
}
