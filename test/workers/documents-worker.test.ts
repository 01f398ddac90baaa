import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Adapters } from '../../wiring/adapters.ts';
import type { UploadedFile } from '../../contract/ports/index.ts';
import { agentQueue, documentsQueue, systemQueue } from '../../contract/ids.ts';
import { createAdapterEnvironment, type AdapterEnvironment } from '../support/environment/adapter-environment.ts';
import { startIngestion } from '../support/documents/ingestion.ts';
import { local as scope } from '../support/documents/put-document.ts';
import { startRole } from '../support/processes/role-process.ts';
import { startTask } from '../support/tasks/tasks.ts';
import { until } from '../support/until.ts';

let env: AdapterEnvironment;
let adapters: Adapters;
beforeAll(async () => {
  env = await createAdapterEnvironment({ ALFRED_MODEL: 'offline:quote', ALFRED_EMBEDDINGS: 'none' });
  adapters = env.adapters;
});
afterAll(() => env?.close());

/** A worker that serves only the documents queue and has no model configured. */
const startDocuments = () =>
  startRole('workers/main.ts', [], env.config, { ALFRED_QUEUES: documentsQueue, ALFRED_MODEL: '' });

const files: UploadedFile[] = Array.from({ length: 400 }, (_, i) => ({
  name: `policies/${i}.txt`,
  mediaType: 'text/plain',
  bytes: Buffer.from(`Policy ${i}\n\nRule number ${i} applies to everybody.\n`),
}));

test('an ingestion whose worker is killed waits for another worker, while agents go on answering', async () => {
  const agents = startRole('workers/main.ts', ['--queue', agentQueue('knowledge'), '--queue', systemQueue], env.config);
  const first = startDocuments();
  let second: ReturnType<typeof startRole> | undefined;
  try {
    await Promise.all([agents.ready, first.ready]);
    const { handle, state } = await startIngestion({ client: env.client, documents: adapters.documents }, scope, files);
    const pending = async () => (await state()).counts.pending;
    await until('60 files are read', async () => (await pending()) <= files.length - 60, { everyMs: 1 });
    await first.end('SIGKILL');
    const remaining = await pending();
    expect(remaining).toBeGreaterThan(0);

    const task = await startTask({ client: env.client, tasks: adapters.tasks }, 'Which rule applies to everybody?');
    const types: string[] = [];
    for await (const page of adapters.events.follow(scope, task.id, 0, AbortSignal.timeout(60_000)))
      types.push(...page.map(({ type }) => type));
    expect(types.at(-1)).toBe('task.completed');
    // No other worker serves the queue.
    expect(await pending()).toBe(remaining);

    const begun = performance.now();
    second = startDocuments();
    await second.ready;
    const readyMs = performance.now() - begun;
    expect(await handle.result()).toEqual({ pending: 0, added: files.length, replaced: 0, unchanged: 0, failed: 0 });
    const tookMs = Math.round(performance.now() - begun - readyMs);
    console.log(
      `killed documents worker: the other one was ready for ${tookMs} ms when the last ${remaining} files were read`,
    );
  } finally {
    for (const role of [agents, first, second]) await role?.end('SIGKILL');
  }
});
