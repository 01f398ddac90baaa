import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { createAdapters, type Adapters } from '../../wiring/adapters.ts';
import { documentsQueue, ingestionWorkflowId, sourceWorkflowId, systemQueue } from '../../contract/ids.ts';
import { SourceRequest } from '../../contract/sources.ts';
import { AlfredError } from '../../contract/errors.ts';
import { createLogger } from '../../runtime/logger.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { startWorkers, type RunningWorkers } from '../../workers/compose.ts';
import type { ingestWorkflow } from '../../workflows/ingest/workflow.ts';
import type { sweepTasksWorkflow } from '../../workflows/sweep/workflow.ts';
import { createTestEnvironment, type TestEnvironment } from '../support/environment/environment.ts';
import { plainParser } from '../support/documents/plain-parser.ts';
import { local as scope, defaultPlacement, putDocument } from '../support/documents/put-document.ts';

let env: TestEnvironment;
let adapters: Adapters;
let workers: RunningWorkers | undefined;
const logged: Record<string, unknown>[] = [];

beforeAll(async () => {
  env = await createTestEnvironment({ ALFRED_SHUTDOWN_GRACE_S: '0' });
  adapters = createAdapters(env);
  const log = createLogger({ ALFRED_LOG_LEVEL: 'warn', ALFRED_LOG_FORMAT: 'json' }, 'test', {
    write: (line) => void logged.push(JSON.parse(line) as Record<string, unknown>),
  });
  workers = await startWorkers(
    { ...env, log, metrics: createMetrics() },
    { ...adapters, parser: { ...plainParser, close: async () => {} } },
    [documentsQueue, systemQueue],
  );
});
afterAll(async () => {
  await workers?.stop();
  await adapters?.close();
  await env?.close();
});

const sweep = () =>
  env.client.workflow.execute<typeof sweepTasksWorkflow>('sweepTasksWorkflow', {
    workflowId: 'sweep-by-hand',
    taskQueue: systemQueue,
  });

async function upload(name: string, { ageS }: { ageS: number }) {
  const file = { name, mediaType: 'text/plain', bytes: Buffer.from(`Speaks of ${name}.`) };
  const ingestionId = await adapters.documents.createIngestion(scope, [file], defaultPlacement);
  await env.postgres.pool.query(`update ingestions set created_at = now() - make_interval(secs => $2) where id = $1`, [
    ingestionId,
    ageS,
  ]);
  return ingestionId;
}
const read = (ingestionId: string, taskQueue: string) =>
  env.client.workflow.start<typeof ingestWorkflow>('ingestWorkflow', {
    workflowId: ingestionWorkflowId(ingestionId),
    taskQueue,
    args: [{ ingestionId, ...scope }],
  });
const statusOf = async (id: string) => (await adapters.documents.getIngestion(scope, id))?.status;

test('an upload whose workflow has ended is closed by the sweep, and a retry reads its files', async () => {
  const terminated = await upload('terminated.txt', { ageS: 30 });
  await (await read(terminated, 'nobody')).terminate('by hand');
  const lost = await upload('lost.txt', { ageS: 90 });
  const begins = await upload('begins.txt', { ageS: 10 });
  const young = await upload('young.txt', { ageS: -60 });
  await (await read(young, 'nobody')).terminate('by hand');
  const runs = await upload('runs.txt', { ageS: 90 });
  await read(runs, 'nobody');

  await sweep();
  expect(await Promise.all([terminated, lost, begins, young, runs].map(statusOf))).toEqual([
    'failed',
    'failed',
    'running',
    'running',
    'running',
  ]);
  const reconciled = logged.filter(({ msg }) => String(msg).startsWith('an ingestion was brought in line'));
  expect(reconciled.map(({ ingestionId, found, status }) => ({ ingestionId, found, status }))).toEqual([
    { ingestionId: terminated, found: 'terminated', status: 'failed' },
    { ingestionId: lost, found: 'not_found', status: 'failed' },
  ]);

  const retry = await adapters.documents.retryIngestion(scope, lost);
  expect(await (await read(retry ?? '', documentsQueue)).result()).toMatchObject({ added: 1, pending: 0 });
});

test('many lost uploads are closed in one sweep', async () => {
  await env.postgres.pool.query(
    `insert into ingestions (id, tenant, subject, status, collection, created_at)
     select gen_random_uuid(), 'many', 'local', 'running', 'default', now() - interval '1 hour' from generate_series(1, 401)`,
  );
  await sweep();
  const { rows } = await env.postgres.pool.query<{ status: string; n: number }>(
    `select status, count(*)::int as n from ingestions where tenant = 'many' group by 1`,
  );
  expect(rows).toEqual([{ status: 'failed', n: 401 }]);
});

test('a lost removal of a source is restarted, and a lost sync ends', async () => {
  const add = async (collection: string) => {
    const address = 'https://www.example.com/page';
    const { id } = await adapters.sources.create(scope, SourceRequest.parse({ address, collection }));
    return { ...scope, sourceId: id };
  };
  const [removed, late, young] = [await add('removed'), await add('late'), await add('young')];
  const { documentId } = await putDocument(env.postgres.db, 'page', 'A page.', {
    scope,
    placement: { collection: 'removed' },
  });
  await adapters.sources.storeListing(removed, {
    items: [{ name: 'page', address: 'a' }],
    failures: [],
    isWhole: true,
  });
  const { documents } = await adapters.documents.list(scope, { limit: 9, collection: 'removed' });
  await adapters.sources.recordOutcome(removed, 'page', {
    state: 'added',
    documentId,
    contentHash: documents[0]?.contentHash ?? '',
    etag: null,
    lastModified: null,
  });
  await adapters.sources.delete(scope, removed.sourceId, 'remove');
  await env.postgres.pool.query(
    `update sources set sync_requested_at = now() - interval '2 minutes', deleted_at = deleted_at - interval '2 minutes'
     where id <> $1`,
    [young.sourceId],
  );

  await sweep();
  await env.client.workflow.getHandle(sourceWorkflowId(removed.sourceId)).result();
  expect(await adapters.documents.get(scope, documentId)).toBeUndefined();
  expect((await adapters.sources.get(scope, late.sourceId))?.sync).toMatchObject({
    state: 'failed',
    error: { code: 'workflow_lost' },
  });
  expect((await adapters.sources.get(scope, young.sourceId))?.sync.state).toBe('queued');
  expect(logged.filter(({ sourceId }) => sourceId === removed.sourceId)).toMatchObject([
    { found: 'not_found', isRemoved: true },
  ]);
  await sweep();
  expect(logged.filter(({ sourceId }) => sourceId !== undefined)).toHaveLength(2);
});

test('a comparison that fails stops no other step; another Temporal stops them all', async () => {
  const list = jest.spyOn(adapters.survey, 'runningAmong');
  const check = jest.spyOn(adapters.namespace, 'check');
  const steps = [
    jest.spyOn(adapters.callbacks, 'listOverdue'),
    jest.spyOn(adapters.documents, 'deleteExpiredFiles'),
    jest.spyOn(adapters.ledger, 'countUsage'),
  ];
  try {
    for (let attempt = 0; attempt < 3; attempt++) list.mockRejectedValueOnce(new Error('no visibility'));
    await sweep();
    expect(steps.map(({ mock }) => mock.calls.length)).toEqual([1, 1, 1]);
    check.mockRejectedValue(new AlfredError('wrong_namespace', 'another one'));
    await sweep();
    expect(steps.map(({ mock }) => mock.calls.length)).toEqual([1, 1, 1]);
  } finally {
    jest.restoreAllMocks();
  }
});
