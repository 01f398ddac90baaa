import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Adapters } from '../../wiring/adapters.ts';
import type { Embedder } from '../../contract/ports/index.ts';
import { documentsQueue, embedWorkflowId, ingestionWorkflowId, systemQueue } from '../../contract/ids.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { startWorkers } from '../../workers/compose.ts';
import type { ingestWorkflow } from '../../workflows/ingest/workflow.ts';
import type { sweepTasksWorkflow } from '../../workflows/sweep/workflow.ts';
import { createAdapterEnvironment, type AdapterEnvironment } from '../support/environment/adapter-environment.ts';
import { startIngestion } from '../support/documents/ingestion.ts';
import { plainParser } from '../support/documents/plain-parser.ts';
import { local as scope, defaultPlacement } from '../support/documents/put-document.ts';
import { createWordEmbedder } from '../support/documents/word-embedder.ts';
import { until } from '../support/until.ts';

let env: AdapterEnvironment;
let adapters: Adapters;
beforeAll(async () => {
  env = await createAdapterEnvironment({ ALFRED_SHUTDOWN_GRACE_S: '0' });
  adapters = env.adapters;
});
afterAll(() => env?.close());

const work = (embedder: () => Embedder | undefined, metrics = createMetrics()) =>
  startWorkers(
    { ...env, metrics },
    {
      ...adapters,
      parser: { ...plainParser, close: async () => {} },
      embeddings: { embedder: async () => embedder(), close: async () => {} },
    },
    [documentsQueue, systemQueue],
  );

async function ingest(names: string[]) {
  const files = names.map((name) => ({ name, mediaType: 'text/plain', bytes: Buffer.from(`Speaks of ${name}.`) }));
  const { handle } = await startIngestion({ client: env.client, documents: adapters.documents }, scope, files);
  return handle.result();
}
const progress = (model: string) => adapters.vectors.progress(model, scope.tenant);
/** Waits until every chunk has its vector. @returns how many have one */
async function allEmbedded(model: string) {
  const { embedded } = await until(`every chunk has a vector of ${model}`, () => progress(model), {
    accept: (counts) => counts.chunks > 0 && counts.chunks === counts.embedded,
    withinMs: 60_000,
  });
  return embedded;
}
const named = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `file-${from + i}.txt`);

test('every passage gets its vector exactly once, although a worker dies in the middle', async () => {
  const embedder = createWordEmbedder();
  let remaining = 30;
  const stalling: Embedder = {
    ...embedder,
    // After 30 texts the embedder never returns.
    embedPassages: (texts, signal) => {
      remaining -= texts.length;
      if (remaining >= 0) return embedder.embedPassages(texts, signal);
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
    },
  };
  const dying = await work(() => stalling);
  await ingest(named(0, 60));
  await until('the embedder stalls', () => remaining < 0, { withinMs: 60_000 });
  await dying.stop();
  const stored = (await progress(embedder.model)).embedded;
  expect(stored).toBeGreaterThan(0);
  expect(stored).toBeLessThan(60);

  const workers = await work(() => embedder);
  try {
    expect(await allEmbedded(embedder.model)).toBe(60);
    expect(embedder.embedded()).toBe(60);
    expect(await env.client.workflow.getHandle(embedWorkflowId).result()).toBeGreaterThan(0);
    // The same files again: nothing is embedded.
    await ingest(named(0, 60));
    expect(await env.client.workflow.getHandle(embedWorkflowId).result()).toBe(0);
    expect(embedder.embedded()).toBe(60);
  } finally {
    await workers.stop();
  }
});

test('documents that were stored without a model get their vectors with the next sweep after one is configured', async () => {
  const embedder = createWordEmbedder('words@later');
  let current: Embedder | undefined;
  const workers = await work(() => current);
  try {
    await ingest(named(60, 70));
    current = embedder;
    await env.client.workflow.execute<typeof sweepTasksWorkflow>('sweepTasksWorkflow', {
      workflowId: 'sweep-by-hand',
      taskQueue: systemQueue,
    });
    expect(await allEmbedded(embedder.model)).toBe(70);
  } finally {
    await workers.stop();
  }
});

test('the sweep measures how long files and texts have been waiting', async () => {
  const metrics = createMetrics();
  const embedder = createWordEmbedder('words@waiting');
  const workers = await work(() => ({ ...embedder, embedPassages: () => Promise.reject(new Error('busy')) }), metrics);
  try {
    await ingest(named(70, 72));
    const ingestionId = await adapters.documents.createIngestion(
      scope,
      [{ name: 'later.txt', mediaType: 'text/plain', bytes: Buffer.from('Later.') }],
      defaultPlacement,
    );
    await env.client.workflow.start<typeof ingestWorkflow>('ingestWorkflow', {
      workflowId: ingestionWorkflowId(ingestionId),
      taskQueue: 'nobody',
      args: [{ ingestionId, ...scope }],
    });
    await env.postgres.pool.query(`update documents set updated_at = now() - interval '1 hour'`);
    await env.postgres.pool.query(
      `update ingestions set created_at = now() - interval '2 hours' where status = 'running'`,
    );
    await env.client.workflow.execute<typeof sweepTasksWorkflow>('sweepTasksWorkflow', {
      workflowId: 'sweep-for-lag',
      taskQueue: systemQueue,
    });
    const lag = await metrics.registry.getSingleMetricAsString('knowledge_lag_seconds');
    const of = (what: string) => Number(new RegExp(`of="${what}"\\} ([\\d.]+)`).exec(lag)?.[1]);
    expect(of('file')).toBeGreaterThanOrEqual(7_200);
    expect(of('file')).toBeLessThan(7_300);
    expect(of('vector')).toBeGreaterThanOrEqual(3_600);
    expect(of('vector')).toBeLessThan(3_700);
  } finally {
    await workers.stop();
    await env.client.workflow.getHandle(embedWorkflowId).terminate();
  }
});
