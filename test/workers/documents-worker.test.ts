import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createAdapters, type Adapters } from '../../wiring/adapters.ts';
import type { UploadedFile } from '../../contract/ports/index.ts';
import { agentQueue, documentsQueue, ingestionWorkflowId, systemQueue } from '../../contract/ids.ts';
import type { ingestWorkflow } from '../../workflows/ingest/workflow.ts';
import { createTestEnvironment, type TestEnvironment } from '../support/environment/environment.ts';
import { local as scope, defaultPlacement } from '../support/documents/put-document.ts';
import { startRole } from '../support/processes/role-process.ts';
import { startTask } from '../support/tasks/tasks.ts';

let env: TestEnvironment;
let adapters: Adapters;
beforeAll(async () => {
  env = await createTestEnvironment({ ALFRED_MODEL: 'offline:quote', ALFRED_EMBEDDINGS: 'none' });
  adapters = createAdapters(env);
});
afterAll(async () => {
  await adapters?.close();
  await env?.close();
});

/** Serves that queue and nothing else, and is told of no model. */
const startDocuments = () =>
  startRole('workers/main.ts', [], env.config, { ALFRED_QUEUES: documentsQueue, ALFRED_MODEL: '' });

const files: UploadedFile[] = Array.from({ length: 400 }, (_, i) => ({
  name: `policies/${i}.txt`,
  mediaType: 'text/plain',
  bytes: Buffer.from(`Policy ${i}\n\nRule number ${i} applies to everybody.\n`),
}));

test('an ingestion whose worker is killed waits for another one, while agents go on answering', async () => {
  const agents = startRole('workers/main.ts', ['--queue', agentQueue('knowledge'), '--queue', systemQueue], env.config);
  const first = startDocuments();
  let second: ReturnType<typeof startRole> | undefined;
  try {
    await Promise.all([agents.ready, first.ready]);
    const ingestionId = await adapters.documents.createIngestion(scope, files, defaultPlacement);
    const pending = async () => (await adapters.documents.getIngestion(scope, ingestionId))?.counts.pending ?? 0;
    const handle = await env.client.workflow.start<typeof ingestWorkflow>('ingestWorkflow', {
      workflowId: ingestionWorkflowId(ingestionId),
      taskQueue: documentsQueue,
      args: [{ ingestionId, ...scope }],
      workflowTaskTimeout: '5 s',
    });
    while ((await pending()) > files.length - 60) await new Promise((resolve) => setImmediate(resolve));
    await first.end('SIGKILL');
    const left = await pending();
    expect(left).toBeGreaterThan(0);

    const task = await startTask({ client: env.client, tasks: adapters.tasks }, 'Which rule applies to everybody?');
    const types: string[] = [];
    for await (const page of adapters.events.follow(scope, task.id, 0, AbortSignal.timeout(60_000)))
      types.push(...page.map(({ type }) => type));
    expect(types.at(-1)).toBe('task.completed');
    // Nobody else serves the queue.
    expect(await pending()).toBe(left);

    const begun = performance.now();
    second = startDocuments();
    await second.ready;
    const readyMs = performance.now() - begun;
    expect(await handle.result()).toEqual({ pending: 0, added: files.length, replaced: 0, unchanged: 0, failed: 0 });
    const tookMs = Math.round(performance.now() - begun - readyMs);
    console.log(
      `killed documents worker: the other one was ready for ${tookMs} ms when the last ${left} files were read`,
    );
  } finally {
    for (const role of [agents, first, second]) await role?.end('SIGKILL');
  }
}, 120_000);
