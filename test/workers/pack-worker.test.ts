import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { agentQueue } from '../../contract/ids.ts';
import { agentWithTool, plainAgent, writePack } from '../agents/packs/write-pack.ts';
import { createAdapterEnvironment, type AdapterEnvironment } from '../support/environment/adapter-environment.ts';
import { startRole } from '../support/processes/role-process.ts';
import { scope, startTask } from '../support/tasks/tasks.ts';

let env: AdapterEnvironment;
beforeAll(async () => {
  env = await createAdapterEnvironment({ ALFRED_MODEL: 'offline:quote', ALFRED_EMBEDDINGS: 'none' });
});
afterAll(() => env?.close());

/** In TypeScript, which Node strips, with a zod of Alfred's that its file imports under its own name. */
const typescriptAgent = agentWithTool('was read')
  .replace('async ({ id })', 'async ({ id }: { id: string })')
  .replace("from 'alfred/agent';", "from 'alfred/agent';\nimport { z as zod } from 'zod';\nif (zod !== z) throw 1;");

test('a worker serves agents of packs beside a pack that crashes, and leaves out one whose variable is missing', async () => {
  const good = await writePack({ 'agents/orders/agent.ts': typescriptAgent });
  const crashing = await writePack({ 'agents/crashing/agent.ts': 'process.abort();' });
  const settings = `settings: { TEST_PACK_URL: { description: 'where' } }, description:`;
  const incomplete = await writePack({
    'agents/incomplete/agent.ts': agentWithTool('').replace('description:', settings),
    'agents/complete/agent.ts': plainAgent,
  });
  const worker = startRole('workers/main.ts', ['--queue', 'packs'], env.config, {
    ALFRED_AGENT_PACKS: [good, crashing, incomplete].join(),
    TEST_PACK_SECRET: 'purple elephant',
  });
  try {
    const ready = await worker.ready;
    const { dependencies } = (await (await fetch(`http://127.0.0.1:${Number(ready.health)}/healthz`)).json()) as {
      dependencies: Record<string, { status: string; detail: string }>;
    };
    expect(dependencies).toMatchObject({
      agent_packs: { status: 'degraded', detail: expect.stringContaining(`${crashing} is refused: its process ended`) },
      pack_agents: {
        status: 'degraded',
        detail: expect.stringContaining('incomplete is not served: TEST_PACK_URL is not set'),
      },
    });
    const metrics = await (await fetch(`http://127.0.0.1:${Number(ready.health)}/metrics`)).text();
    expect(metrics).toContain(`agent_pack_refused{pack="${crashing}"} 1`);
    expect(worker.output()).toMatch(/"queues":\["agent-orders","agent-complete"\]/);
    expect(worker.output()).not.toContain('purple elephant');

    const input = { text: 'Which?', tool: { name: 'read_order', arguments: { id: 'A-1' } } };
    const { handle, id } = await startTask({ client: env.client, tasks: env.adapters.tasks }, 'Which?', {
      agent: 'orders',
      input,
    });
    await handle.result();
    expect(await env.adapters.tasks.get(scope, id)).toMatchObject({
      status: 'completed',
      result: { text: expect.stringContaining('A-1 was read') },
    });
  } finally {
    await worker.end('SIGKILL');
  }
});

test('a worker that has nothing left to serve says why it ends', async () => {
  const crashing = await writePack({ 'agents/crashing/agent.ts': 'process.abort();' });
  const worker = startRole('workers/main.ts', ['--queue', agentQueue('crashing')], env.config, {
    ALFRED_AGENT_PACKS: crashing,
  });
  await expect(worker.ready).rejects.toThrow(/There is no task queue to serve here\. The pack .* SIGABRT/);
});
