import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { DefaultLogger, bundleWorkflowCode } from '@temporalio/worker';
import { knowledge } from '../../agents/knowledge/agent.ts';
import type { Adapters } from '../../wiring/adapters.ts';
import type { Tool } from '../../contract/ports/index.ts';
import { agentQueue } from '../../contract/ids.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { startWorkers } from '../../workers/compose.ts';
import { decideUpdate } from '../../workflows/signals-and-updates.ts';
import { createAdapterEnvironment, type AdapterEnvironment } from '../support/environment/adapter-environment.ts';
import { createScriptedModel } from '../support/providers/scripted-model.ts';
import { scope, startTask } from '../support/tasks/tasks.ts';
import { until } from '../support/until.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

let env: AdapterEnvironment;
let adapters: Adapters;
let dir: string;
const paid: string[] = [];
const pay: Tool = {
  name: 'search_documents',
  description: 'pays',
  inputSchema: { type: 'object' },
  effect: 'write',
  async run(_, { beforeSend, receiptKey }) {
    await beforeSend();
    paid.push(receiptKey);
    return { output: 'paid', summary: 'paid' };
  },
};
const model = createScriptedModel([{ calls: [{ tool: pay.name, arguments: { amount: 1 } }] }, { text: ['Paid.'] }]);

beforeAll(async () => {
  env = await createAdapterEnvironment({
    ALFRED_MODEL: 'scripted:test',
    ALFRED_SHUTDOWN_GRACE_S: '0',
    ALFRED_AGENTS: JSON.stringify({ knowledge: { approvals: [{ tool: '*' }] } }),
  });
  adapters = env.adapters;
  dir = await mkdtemp(join(tmpdir(), 'alfred-deploy-'));
});
afterAll(async () => {
  await env?.close();
  await rm(dir, { recursive: true, force: true });
});

const startVersion = (bundle?: string) =>
  startWorkers(
    {
      ...env,
      config: { ...env.config, ...(bundle ? { ALFRED_WORKFLOW_BUNDLE: bundle } : {}) },
      metrics: createMetrics(),
    },
    { ...adapters, providers: { scripted: model.provider }, tools: { [pay.name]: pay } },
    [agentQueue('knowledge')],
    { agents: { knowledge } },
  );

/** A bundle of a later version: the workflow sets a timer before each model call, guarded as AGENTS.md describes. */
async function laterVersion(): Promise<string> {
  for (const room of ['contract', 'agents', 'workflows'])
    await cp(join(root, room), join(dir, room), { recursive: true });
  await cp(join(root, 'package.json'), join(dir, 'package.json'));
  await symlink(join(root, 'node_modules'), join(dir, 'node_modules'));
  const file = join(dir, 'workflows/agent-task/task-run.ts');
  const source = await readFile(file, 'utf8');
  const changed = source.replace(
    'const step = await this.callModel();',
    "if (patched('a-later-version')) await condition(() => false, 1);\n        const step = await this.callModel();",
  );
  expect(changed).not.toBe(source);
  await writeFile(file, `import { condition } from '@temporalio/workflow';\n${changed}`);
  const logger = new DefaultLogger('ERROR');
  const { code } = await bundleWorkflowCode({ workflowsPath: join(dir, 'workflows/index.ts'), logger });
  await writeFile(join(dir, 'later.js'), code);
  return join(dir, 'later.js');
}

test('a pending approval survives a deploy that changed the workflow', async () => {
  const first = await startVersion();
  const { id, handle } = await startTask({ client: env.client, tasks: adapters.tasks }, 'Pay.');
  const row = async () => adapters.tasks.get(scope, id);
  await until('the task waits', async () => (await row())?.status === 'waiting', { withinMs: 60_000 });
  await first.stop();

  const second = await startVersion(await laterVersion());
  try {
    const [approval] = (await row())?.waiting?.approvals ?? [];
    const decision = { id: approval ?? '', approve: true, by: 'ann', roles: [] };
    await handle.executeUpdate(decideUpdate, { args: [decision] });
    await handle.result();
    expect(await row()).toMatchObject({ status: 'completed', result: { text: 'Paid.' } });
    expect(paid).toEqual([`${id}/1/call-1-0`]);
    const { events } = await handle.fetchHistory();
    expect(
      events?.filter(({ timerStartedEventAttributes: timer }) => timer?.startToFireTimeout?.nanos === 1_000_000),
    ).toHaveLength(1);
  } finally {
    await second.stop();
  }
});
