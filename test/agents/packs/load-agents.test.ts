import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { agents as ownAgents } from '../../../agents/index.ts';
import { loadAgents } from '../../../agents/packs/load-agents.ts';
import { agentQueue } from '../../../contract/ids.ts';
import { agentSettings } from '../../../runtime/agent-settings.ts';
import { loadConfig } from '../../../runtime/config.ts';
import { createMetrics } from '../../../runtime/metrics.ts';
import { queuesOf } from '../../../workers/queues.ts';
import { agentWithTool, plainAgent, writePack } from './write-pack.ts';

/** Loads packs as a process does at its start. */
async function load(packs: string[], variables: Record<string, string> = {}) {
  const warnings = new Map<string, () => Promise<string | undefined>>();
  const lines: { pack?: string; reason?: string; level: number }[] = [];
  const metrics = createMetrics();
  const config = loadConfig({
    DATABASE_URL: 'postgres://unused',
    ALFRED_AGENT_PACKS: packs.join(','),
    ...variables,
  });
  const known = await loadAgents({
    config,
    metrics,
    log: pino({}, { write: (line: string) => void lines.push(JSON.parse(line)) }),
    readiness: { addWarning: (name, warning) => void warnings.set(name, warning) },
  });
  const detail = await warnings.get('agent_packs')?.();
  return { ...known, metrics, detail, errors: lines.filter(({ level }) => level >= 50) };
}

const variable = 'TEST_ORDERS_URL';
const unset = () => void delete process.env[variable];
beforeEach(unset);
afterEach(unset);

test('without packs there are the agents of Alfred, and the configuration as it is', async () => {
  const config = loadConfig({ DATABASE_URL: 'postgres://unused' });
  const known = await loadAgents({ config, log: pino({ level: 'silent' }) });
  expect(Object.keys(known.agents)).toEqual(expect.arrayContaining(['knowledge', 'assistant']));
  expect(known).toMatchObject({ packs: [], refused: [] });
  expect(known.config).toBe(config);
});

test('two packs may each have a tool of the same name', async () => {
  const packs = [
    await writePack({ 'agents/north/agent.ts': agentWithTool('north') }, { name: 'north-pack' }),
    await writePack({ 'agents/south/agent.ts': agentWithTool('south') }, { name: 'south-pack' }),
  ];
  const { agents, refused } = await load(packs);
  expect(refused).toEqual([]);
  expect(agents.north).toMatchObject({ tools: ['read_order'], pack: { name: 'north-pack', version: '1.2.3' } });
  const context = { scope: { tenant: 't', subject: 's' }, taskId: 'i', receiptKey: 'k' } as never;
  const answerOf = async (name: string) =>
    (await agents[name]?.ownTools?.read_order?.run({ id: '7' }, context))?.output;
  expect([await answerOf('north'), await answerOf('south')]).toEqual(['7 north', '7 south']);
});

test('a pack with a fault is left out by name and reason, and the others are there', async () => {
  const broken = await writePack({ 'agents/broken/agent.ts': 'process.abort();' });
  const taken = await writePack({ 'agents/knowledge/agent.ts': plainAgent });
  const good = await writePack({ 'agents/good/agent.ts': plainAgent });
  const twin = await writePack({ 'agents/good/agent.ts': plainAgent }, { name: 'twin-pack' });
  const { agents, refused, detail, errors, metrics } = await load([broken, taken, good, twin]);
  expect(Object.keys(agents)).toEqual([...Object.keys(ownAgents), 'good']);
  expect(refused).toEqual([
    { source: broken, reason: expect.stringContaining('ended by SIGABRT'), agents: ['broken'] },
    { source: taken, reason: expect.stringContaining('taken by an agent of Alfred'), agents: ['knowledge'] },
    { source: twin, reason: expect.stringContaining('taken by the pack test-pack'), agents: ['good'] },
  ]);
  expect(errors.map(({ pack }) => pack)).toEqual([broken, taken, twin]);
  expect(detail).toContain(`${broken} is refused: its process ended by SIGABRT`);
  expect((await metrics.agentPackRefused.get()).values).toEqual(
    [broken, taken, twin].map((pack) => ({ labels: { pack }, value: 1 })),
  );
});

const writingAgent = (more = '') => agentWithTool('', more).replace('description:', `effect: 'write', description:`);

test('a tool that changes something needs a rule or an exemption, else its pack is refused', async () => {
  const write = (more?: string) => writePack({ 'agents/orders/agent.ts': writingAgent(more) });
  const reasonOf = async (folder: string, variables?: Record<string, string>) =>
    (await load([folder], variables)).refused[0]?.reason;
  expect(await reasonOf(await write())).toMatch(
    /orders may call "read_order", which changes something, and no approval/,
  );
  expect(await reasonOf(await write(`approvals: [{ tool: 'read_order' }]`))).toBeUndefined();
  expect(await reasonOf(await write(`withoutApproval: ['read_order']`))).toBeUndefined();
  expect(await reasonOf(await write(`approvals: [{ tool: 'read_ordr' }]`))).toMatch(/for the tool "read_ordr"/);
  const settings = JSON.stringify({ orders: { approvals: [{ tool: '*' }] } });
  expect(await reasonOf(await write(), { ALFRED_AGENTS: settings })).toBeUndefined();
});

test('settings of an agent whose pack is refused stop nothing, and those of an unknown agent do', async () => {
  const broken = await writePack({ 'agents/broken/agent.ts': 'process.abort();' });
  const settings = (name: string) => ({ ALFRED_AGENTS: JSON.stringify({ [name]: { budget: { maxCostUsd: 1 } } }) });
  expect((await load([broken], settings('broken'))).refused).toHaveLength(1);
  await expect(load([broken], settings('borken'))).rejects.toThrow(/names an agent that does not exist: "borken"/);
  expect((await load(['./not-there'], settings('broken'))).refused).toHaveLength(1);
});

test('ALFRED_AGENTS comes before what a pack sets', async () => {
  const pack = await writePack({
    'agents/orders/agent.ts': agentWithTool('', `model: 'offline:quote', budget: { maxCostUsd: 1 }, roles: ['shop']`),
  });
  const { config } = await load([pack]);
  expect(agentSettings(config, 'orders')).toMatchObject({
    model: 'offline:quote',
    budget: { maxCostUsd: 1 },
    roles: ['shop'],
  });
  const changed = await load([pack], { ALFRED_AGENTS: JSON.stringify({ orders: { budget: { maxCostUsd: 2 } } }) });
  expect(agentSettings(changed.config, 'orders')).toMatchObject({ budget: { maxCostUsd: 2 }, roles: ['shop'] });
});

test('a tool gets its settings from the environment, and the name of a missing one is known', async () => {
  const settings = `settings: { ${variable}: { description: 'where orders are' }, TEST_ORDERS_LIMIT: { description: 'most', default: '5' } }`;
  const agent = agentWithTool('').replace('description:', `${settings}, description:`);
  const withSettings = agent.replace(
    /run: .*\n/,
    `run: async (_, { settings }) => ({ output: settings, summary: '' }),\n`,
  );
  const folder = await writePack({ 'agents/orders/agent.ts': withSettings });
  expect((await load([folder])).agents.orders?.pack?.missingVariables).toEqual([variable]);
  process.env[variable] = 'http://orders';
  const { agents } = await load([folder]);
  expect(agents.orders?.pack?.missingVariables).toEqual([]);
  const outcome = await agents.orders?.ownTools?.read_order?.run({ id: '1' }, { scope: {}, receiptKey: 'k' } as never);
  expect(outcome?.output).toEqual({ [variable]: 'http://orders', TEST_ORDERS_LIMIT: '5' });
});

test('two tools that name one variable have each their own default, and each decides whether it needs it', async () => {
  const toolNamed = (name: string, setting: string) => `defineTool({
    name: '${name}', description: 'A', input: z.strictObject({}), settings: { ${variable}: { description: 'x', ${setting} } },
    run: async (_, { settings }) => ({ output: settings.${variable} ?? null, summary: '' }) })`;
  const folder = (first: string, second: string) =>
    writePack({
      'agents/orders/agent.ts': `import { defineAgent, defineTool, z } from 'alfred/agent';
        const tools = [${toolNamed('one', first)}, ${toolNamed('two', second)}];
        export default defineAgent({ description: 'A', instructions: 'B', tools });`,
    });
  const { orders } = (await load([await folder(`default: 'first'`, `default: 'second'`)])).agents;
  const answers = [];
  for (const name of ['one', 'two'])
    answers.push((await orders?.ownTools?.[name]?.run({}, { scope: {}, receiptKey: 'k' } as never))?.output);
  expect(answers).toEqual(['first', 'second']);
  for (const [first = '', second = ''] of [
    ['required: true', 'required: false'],
    ['required: false', 'required: true'],
    ['required: true', `default: 'x'`],
  ])
    expect((await load([await folder(first, second)])).agents.orders?.pack?.missingVariables).toEqual([variable]);
});

test('a pack that is another one where variables are set is refused, without a word of what they hold', async () => {
  process.env[variable] = 'the-secret';
  const read = `(process.env.${variable} ?? '')`;
  const packs = [
    `if (${read}) throw new Error('cannot use ' + ${read});\n${plainAgent}`,
    agentWithTool('').replace(`name: 'read_order'`, `name: 'read_order' + ${read}.replace(/\\W/g, '_')`),
    writingAgent(`approvals: [{ tool: 'read_order' + ${read} }]`),
  ];
  for (const agent of packs) {
    const { refused, errors, detail } = await load([await writePack({ 'agents/orders/agent.ts': agent })]);
    expect(refused[0]?.reason).toMatch(/it is another one in this process than in its trial/);
    expect(JSON.stringify([refused, errors, detail])).not.toMatch(/the.secret/);
  }
});

test.each<[string, string, RegExp]>([
  ['nothing', 'undefined', /returned no question like \{text\}/],
  ['no text', '({ tool: { name: "read_order", arguments: {} } })', /no question like \{text\}: text: /],
  ['an empty text', '" "', /text: /],
  ['a promise', 'Promise.reject(new Error("late"))', /`ask` of the agent is async/],
  ['a megabyte', '"x".repeat(1_000_000)', /it has 10\d+ characters, more than 200000/],
  [
    'arguments that are no JSON',
    '({ text: "a", tool: { name: "read_order", arguments: { at: 1n } } })',
    /arguments\.at/,
  ],
])('a question that is %s is a fault of the input', async (_, asked, fault) => {
  const agent = agentWithTool('', `input: z.object({ order: z.string() }), ask() { return ${asked}; }`);
  const { agents } = await load([await writePack({ 'agents/orders/agent.ts': agent })]);
  expect(agents.orders?.input.safeParse({ order: 'A' }).error?.issues[0]?.message).toMatch(fault);
});

test('typed input becomes a question, and a fault of the agent’s own code is a fault of the input', async () => {
  const typed = agentWithTool(
    '',
    `input: z.object({ order: z.string() }),
     ask({ order }) {
       if (order === 'x') throw new Error('no such order');
       return { text: 'Order ' + order, tool: { name: 'read_order', arguments: { id: order } } };
     }`,
  );
  const json = agentWithTool('', 'input: z.object({ order: z.string() })');
  const folder = await writePack({ 'agents/typed/agent.ts': typed, 'agents/json/agent.ts': json });
  const { agents } = await load([folder]);
  const inputOf = (name: string, order: unknown) => agents[name]?.input.safeParse({ order });
  expect(inputOf('typed', 'A-1')?.data).toEqual({
    text: 'Order A-1',
    tool: { name: 'read_order', arguments: { id: 'A-1' } },
  });
  expect(inputOf('typed', 'x')?.error?.issues[0]?.message).toBe('no such order');
  expect(inputOf('typed', 7)?.success).toBe(false);
  expect(JSON.parse(inputOf('json', 'A-1')?.data?.text ?? '')).toEqual({ order: 'A-1' });
});

test('a worker serves the queues of packs by name or together, and leaves out those of a refused pack', async () => {
  const good = await writePack({ 'agents/good/agent.ts': plainAgent });
  const broken = await writePack({ 'agents/broken/agent.ts': 'process.abort();' });
  const known = await load([good, broken]);
  const own = Object.keys(ownAgents).map(agentQueue);
  expect(queuesOf([], {}, known)).toEqual([...own, 'agent-good', 'documents', 'system']);
  expect(queuesOf(['packs'], {}, known)).toEqual(['agent-good']);
  expect(queuesOf([], { ALFRED_QUEUES: 'agent-broken,system' }, known)).toEqual(['system']);
  expect(() => queuesOf(['agent-broken'], {}, known)).toThrow(/no task queue to serve here.*SIGABRT/);
  expect(() => queuesOf(['agent-goood'], {}, known)).toThrow(/There is no task queue "agent-goood"/);
});
