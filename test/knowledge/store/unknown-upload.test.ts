import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client } from '@temporalio/client';
import { createCallbacks } from '../../../adapters/postgres/tasks/callbacks.ts';
import { createIngestionControl } from '../../../adapters/temporal/ingestion-control.ts';
import { createWorkflows } from '../../../adapters/temporal/workflows.ts';
import { createDocuments } from '../../../knowledge/store/documents.ts';
import { defaultPlacement, local, sha256 } from '../../support/documents/put-document.ts';
import { createTestEnvironment, type TestEnvironment } from '../../support/environment/environment.ts';

let env: TestEnvironment;
beforeAll(async () => {
  env = await createTestEnvironment();
});
afterAll(() => env?.close());

test('an upload that could not be started, so that its sender does not know of it, calls no callback', async () => {
  const documents = createDocuments(env.postgres.db);
  const callbacks = createCallbacks(env.postgres.db);
  const control = createIngestionControl({
    client: new Client({ connection: env.connection, namespace: 'a-namespace-that-is-not-there' }),
    config: env.config,
    documents,
    callbacks,
    workflows: createWorkflows(env.client, env.config),
    readReconciled: () => Promise.reject(new Error('not read here')),
  });
  const callback = { url: 'https://example.com/hook', secret: 'whsec_c2VjcmV0c2VjcmV0c2VjcmV0' };
  const files = [{ name: 'unknown.txt', mediaType: 'text/plain', bytes: Buffer.from('unknown') }];
  await expect(control.create(local, files, defaultPlacement, callback)).rejects.toThrow(/namespace/i);
  expect(await callbacks.listOverdue(10)).toEqual([]);
  expect(await documents.readFile(local, sha256('unknown'))).toBeUndefined();
  const ingestionId = await documents.createIngestion(local, files, defaultPlacement, callback);
  await documents.endIngestion(local, ingestionId, 'failed');
  expect(await callbacks.listOverdue(10)).toEqual([{ ...local, ingestionId }]);
});
