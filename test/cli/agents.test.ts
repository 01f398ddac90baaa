import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createTestEnvironment, type TestEnvironment } from '../support/environment/environment.ts';
import { plainAgent, writePack } from '../agents/packs/write-pack.ts';
import { alfred, runAlfred } from './run-alfred.ts';

let env: TestEnvironment;
let folder: string;
beforeAll(async () => {
  env = await createTestEnvironment();
  const dir = await mkdtemp(join(tmpdir(), 'alfred-agents-'));
  const made = await alfred(['agents', 'add', 'billing', '--dir', dir, '--json']);
  expect(made).toMatchObject({ code: 0 });
  ({ folder } = JSON.parse(made.stdout) as { folder: string });
  expect(folder).toBe(join(dir, 'billing'));
});
afterAll(() => env?.close());

const environment = (more: Record<string, string> = {}) => {
  const {
    DATABASE_URL,
    TEMPORAL_ADDRESS,
    TEMPORAL_NAMESPACE,
    ALFRED_DATA_DIR,
    ALFRED_WORKFLOW_BUNDLE = '',
  } = env.config;
  return {
    DATABASE_URL,
    TEMPORAL_ADDRESS,
    TEMPORAL_NAMESPACE,
    ALFRED_DATA_DIR,
    ALFRED_WORKFLOW_BUNDLE,
    NO_COLOR: '1',
    ALFRED_EMBEDDINGS: 'none',
    ALFRED_MODEL: 'offline:quote',
    BILLING_FOLDER: join(folder, 'refunds'),
    ...more,
  };
};
const refunds = () => readdir(join(folder, 'refunds')).catch(() => []);
const run = (...args: string[]) => alfred(['agents', ...args], environment());

test('a new agent passes its own evaluation at once, without being known to the stack', async () => {
  const { code, stdout, stderr } = await run('test', folder);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/^billing\nCASE +offline:quote\n(.+ ok\n){5}passed +5 of 5 \(57 % to 100 %\)\n/);
  expect(await run('check', folder)).toMatchObject({ code: 0, stdout: expect.stringContaining('billing@1.0.0') });
});

test('a test runs no tool that acts, unless it is asked to', async () => {
  expect(await refunds()).toEqual([]);
  expect(await run('test', folder, '--act')).toMatchObject({ code: 0, stderr: '' });
  expect(await refunds()).toHaveLength(1);
});

test('cases give the results of tools that act, and of no others', async () => {
  const evals = join(folder, 'agents/billing/evals');
  const wanted = (tool: string) => [
    {
      name: 'tells the number',
      input: { order: 'A-1002', refund: 20 },
      results: { [tool]: { refund: 'R-77' } },
      checks: { contains: ['R-77'], effects: ['refund_order'] },
    },
  ];
  const before = await readFile(join(evals, 'cases.json'), 'utf8');
  await writeFile(join(evals, 'cases.json'), JSON.stringify(wanted('refund_order')));
  expect(await run('test', folder)).toMatchObject({ code: 0, stderr: '' });
  await writeFile(join(evals, 'cases.json'), JSON.stringify(wanted('read_order')));
  expect(await run('test', folder)).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(
      /case "tells the number" has a result of "read_order", which is no tool .* that acts/,
    ),
  });
  await writeFile(join(evals, 'cases.json'), before);
});

test('settings of agents of other packs, and a fault of another pack, keep no folder from its test', async () => {
  const others = environment({
    ALFRED_AGENTS: '{"shipping": {"budget": {"maxCostUsd": 1}}, "billing": {"budget": {"maxCostUsd": 2}}}',
    ALFRED_AGENT_PACKS: './not-there',
  });
  expect(await alfred(['agents', 'test', folder], others)).toMatchObject({ code: 0, stderr: '' });
});

test('a case that a model judges is counted and not run while there is no such model', async () => {
  const cases = join(folder, 'agents/billing/evals/judged.json');
  await writeFile(cases, '[{"name": "is polite", "input": {"order": "A-1001"}, "checks": {"judge": "It is polite."}}]');
  const { code, stdout, stderr } = await run('test', folder);
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('--judge provider:model') });
  expect(stdout).toMatch(/is polite +not judged\n/);
  expect(stdout).toMatch(/passed +5 of 5 .*\nnot judged +1\n/);
  expect(await run('test', folder, '--judge', 'openai:gpt-6.2-sol')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('The judge is "openai:gpt-6.2-sol", and openai is not configured.'),
  });
  await rm(cases);
});

test('check finds what workers refuse when they start: a tool that acts without a rule, a name that is taken', async () => {
  const agent = join(folder, 'agents/billing/agent.ts');
  const before = await readFile(agent, 'utf8');
  await writeFile(agent, before.replace(/approvals: .*\n/, '\n'));
  expect(await run('check', folder)).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/is refused: .*billing may call "refund_order", which changes something, and no app/),
  });
  const settings = { ALFRED_AGENTS: '{"billing": {"approvals": [{"tool": "refund_order"}]}}' };
  expect(await alfred(['agents', 'check', folder], settings)).toMatchObject({ code: 0 });
  await writeFile(agent, before.replace("{ tool: 'refund_order' }", "{ tool: 'refund_ordr' }"));
  expect(await run('check', folder)).toMatchObject({ code: 1, stderr: expect.stringContaining('"refund_ordr"') });
  await writeFile(agent, before);
  const taken = await writePack({ 'agents/knowledge/agent.ts': plainAgent });
  expect(await run('check', taken)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('has a name that is taken by an agent of Alfred'),
  });
});

test('a case that fails ends the command with 1, and says what is wrong and which task it was', async () => {
  const cases = join(folder, 'agents/billing/evals/cases.json');
  const before = await readFile(cases, 'utf8');
  await writeFile(cases, before.replace('"contains": ["shipped"]', '"contains": ["lost"]'));
  const packs = environment({ ALFRED_AGENT_PACKS: folder });
  const { code, stdout } = await alfred(['agents', 'test', 'billing', '--json', '--model', 'offline:quote'], packs);
  expect(code).toBe(1);
  const [{ agent, scores }] = JSON.parse(stdout);
  expect({ agent, models: scores.map(({ model }: { model: string }) => model) }).toEqual({
    agent: 'billing',
    models: ['offline:quote'],
  });
  expect(scores[0].results.map(({ faults }: { faults: string[] }) => faults.length)).toEqual([1, 0, 0, 0, 0]);
  expect(scores[0].results[0]).toMatchObject({ faults: ['the answer lacks "lost"'], taskId: expect.any(String) });
  await writeFile(cases, before);
});

test('a model that is not configured, an agent that is not there and a refused pack are named', async () => {
  expect(await run('test', folder, '--model', 'openai:gpt-6.2-sol')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/"openai:gpt-6\.2-sol" cannot be used: openai is not configured/),
  });
  expect(await run('test', 'biling')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('There is no agent "biling". There are: knowledge, assistant'),
  });
  const broken = await mkdtemp(join(tmpdir(), 'alfred-broken-'));
  for (const verb of ['check', 'test'])
    expect(await run(verb, broken)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/alfred-broken-\w+ is refused: .* has no package\.json/),
    });
});

test('Ctrl-C cancels the tasks of the test', async () => {
  const command = runAlfred(['agents', 'test', folder], environment());
  const { pool } = env.postgres;
  const open = async () =>
    (await pool.query(`select id from tasks where status in ('queued', 'running', 'waiting')`)).rows.length;
  while ((await open()) === 0) if (command.child.exitCode !== null) throw new Error('it ended before');
  command.child.kill('SIGINT');
  expect((await command.done).code).toBe(130);
  expect(await open()).toBe(0);
});
