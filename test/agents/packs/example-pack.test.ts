import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, realpath } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { loadAgents } from '../../../agents/packs/load-agents.ts';
import { probePack } from '../../../agents/packs/probe.ts';
import { readCases } from '../../../cli/agents/cases.ts';
import { writeNewPack } from '../../../cli/agents/new-pack.ts';
import { runCase } from '../../../cli/agents/run-case.ts';
import { writeTypes } from '../../../cli/agents/write-types.ts';
import { agentQueue, systemQueue } from '../../../contract/ids.ts';
import { localPrincipal } from '../../../contract/principal.ts';
import { loadConfig } from '../../../runtime/config.ts';
import { createTaskHarness, scope, type TaskHarness } from '../../support/tasks/task-harness.ts';
import { until } from '../../support/until.ts';

const root = new URL('../../../', import.meta.url).pathname;
const example = join(root, 'docs/examples/packs/order-desk');

let folder: string;
let refunds: string;
let harness: TaskHarness;
let agents: Awaited<ReturnType<typeof loadAgents>>['agents'];

beforeAll(async () => {
  const outside = await realpath(await mkdtemp(join(tmpdir(), 'alfred-example-')));
  folder = join(outside, 'order-desk');
  refunds = join(outside, 'refunds');
  process.env.ORDER_DESK_FOLDER = refunds;
  await cp(example, folder, { recursive: true });
  const config = loadConfig({ DATABASE_URL: 'postgres://unused', ALFRED_AGENT_PACKS: folder });
  const known = await loadAgents({ config, log: pino({ level: 'silent' }) });
  expect(known.refused).toEqual([]);
  ({ agents } = known);
  harness = await createTaskHarness(
    { ALFRED_MODEL: 'offline:quote' },
    { agents, queues: [agentQueue('order-desk'), systemQueue] },
  );
});
afterAll(async () => {
  delete process.env.ORDER_DESK_FOLDER;
  await harness.close();
});

const agentOf = (name: string) => {
  const agent = agents[name];
  if (!agent) throw new Error(`no agent ${name}`);
  return { name, agent };
};

test('the example pack is loaded from outside the tree, with nothing installed', async () => {
  expect(await probePack(folder)).toMatchObject({
    name: 'order-desk',
    agents: [{ name: 'order-desk', tools: ['read_order', 'refund_order'], variables: ['ORDER_DESK_FOLDER'] }],
  });
});

test('the example pack passes its own evaluation offline', async () => {
  const cases = await readCases(join(folder, 'agents/order-desk'));
  expect(cases.length).toBeGreaterThanOrEqual(4);
  const engine = { adapters: harness, principal: localPrincipal };
  const results = [];
  for (const each of cases) results.push(await runCase(engine, agentOf('order-desk'), each));
  expect(results.map(({ name, faults }) => ({ name, faults }))).toEqual(
    cases.map(({ name }) => ({ name, faults: [] })),
  );
});

test('what the example pack has done is undone', async () => {
  const before = await readdir(refunds);
  const engine = { adapters: harness, principal: localPrincipal };
  const wanted = {
    name: 'refund',
    input: { order: 'A-1001', refund: 5 },
    approvals: 'approve' as const,
    checks: { status: 'completed' as const, effects: ['refund_order'] },
  };
  const { taskId, faults } = await runCase(engine, agentOf('order-desk'), wanted);
  expect(faults).toEqual([]);
  expect(await readdir(refunds)).toHaveLength(before.length + 1);
  await harness.control.tasks.undo(scope, taskId);
  await until('the refund is undone', async () => (await harness.row(taskId)).effects[0]?.state === 'undone');
  expect(await readdir(refunds)).toEqual(before);
});

test('a new pack is one that can be loaded, and the compiler accepts it and the example outside the tree', async () => {
  const made = await writeNewPack('billing', { dir: await mkdtemp(join(tmpdir(), 'alfred-new-')) });
  expect(await probePack(made)).toMatchObject({
    name: 'billing',
    agents: [{ name: 'billing', variables: ['BILLING_FOLDER'] }],
  });
  await writeTypes(folder);
  for (const pack of [made, folder]) await checkTypes(pack);
  await expect(writeNewPack('billing', { dir: join(made, '..') })).rejects.toThrow(/is not empty/);
  await expect(writeNewPack('Billing', { dir: made })).rejects.toThrow(/is no name of an agent/);
});

const checkTypes = (pack: string) =>
  promisify(execFile)(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', pack]).catch(
    ({ stdout }: { stdout: string }) => {
      throw new Error(stdout);
    },
  );
