import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createAdapters, type Adapters } from '../../activities/adapters/index.ts';
import type { DocumentParser, UploadedFile } from '../../activities/ports.ts';
import { documentsQueue, ingestionWorkflowId } from '../../contract/ids.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { startWorkers } from '../../workers/compose.ts';
import type { ingestWorkflow } from '../../workflows/ingest/workflow.ts';
import { createTestEnvironment, type TestEnvironment } from '../support/environment.ts';
import { plainParser } from '../support/plain-parser.ts';

const scope = { tenant: 'local', subject: 'local' };
const metrics = createMetrics();
let env: TestEnvironment;
let adapters: Adapters;

beforeAll(async () => {
  env = await createTestEnvironment({ ALFRED_SHUTDOWN_GRACE_S: '0' });
  adapters = createAdapters(env);
});
afterAll(async () => {
  await adapters?.close();
  await env?.close();
});

const worker = (parser: DocumentParser = plainParser) =>
  startWorkers({ ...env, metrics }, { ...adapters, parser: { close: adapters.parser.close, ...parser } }, [
    documentsQueue,
  ]);
const file = (name: string, content: string | Uint8Array): UploadedFile => ({
  name,
  mediaType: 'text/plain',
  bytes: Buffer.from(content as string),
});

async function start(files: UploadedFile[]) {
  const ingestionId = await adapters.documents.createIngestion(scope, files);
  const handle = await env.client.workflow.start<typeof ingestWorkflow>('ingestWorkflow', {
    workflowId: ingestionWorkflowId(ingestionId),
    taskQueue: documentsQueue,
    args: [{ ingestionId, ...scope }],
    workflowTaskTimeout: '5 s',
  });
  const state = async () => {
    const found = await adapters.documents.ingestion(scope, ingestionId);
    if (!found) throw new Error(`no ingestion ${ingestionId}`);
    return found;
  };
  return { ingestionId, handle, state };
}

describe('ingestWorkflow', () => {
  test('reads every file, and lists the ones it cannot read with the reason', async () => {
    const workers = await worker();
    try {
      const { handle, state } = await start([
        file('a.txt', '# Leave\n\nTwenty-five days.'),
        file('empty.txt', ''),
        file('b.txt', Buffer.from([0, 1, 2])),
      ]);
      expect(await handle.result()).toEqual({ pending: 0, added: 1, replaced: 0, unchanged: 0, failed: 2 });
      expect(await state()).toMatchObject({
        status: 'completed',
        files: 3,
        endedAt: expect.any(String),
        failures: [
          {
            name: 'empty.txt',
            state: 'failed',
            error: { code: 'file_empty', message: 'empty.txt: the file is empty.' },
          },
          { name: 'b.txt', state: 'failed', error: { code: 'file_type_unsupported' } },
        ],
      });
    } finally {
      await workers.stop();
    }
  });
});
