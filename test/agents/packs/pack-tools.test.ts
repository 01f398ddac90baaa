import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { loadAgents } from '../../../agents/packs/load-agents.ts';
import { agentQueue, systemQueue } from '../../../contract/ids.ts';
import { loadConfig } from '../../../runtime/config.ts';
import { createTaskHarness, type TaskHarness } from '../../support/tasks/task-harness.ts';
import { agentWithTool, writePack } from './write-pack.ts';

let harness: TaskHarness;
beforeAll(async () => {
  const packs = [
    await writePack({ 'agents/north/agent.ts': agentWithTool('north') }, { name: 'north-pack' }),
    await writePack({ 'agents/south/agent.ts': agentWithTool('south') }, { name: 'south-pack' }),
  ];
  const config = loadConfig({ DATABASE_URL: 'postgres://unused', ALFRED_AGENT_PACKS: packs.join() });
  const { agents } = await loadAgents({ config, log: pino({ level: 'silent' }) });
  harness = await createTaskHarness({}, { agents, queues: [agentQueue('north'), agentQueue('south'), systemQueue] });
});
afterAll(() => harness.close());

test('each agent calls its own tool of a name that two have, and its model is offered no other', async () => {
  const answers = [];
  for (const agent of ['north', 'south']) {
    const requests = harness.script([
      { calls: [{ tool: 'read_order', arguments: { id: 'A-1' } }] },
      { text: ['Done.'] },
    ]);
    const { id } = await harness.start({ agent });
    await harness.followToEnd(id);
    expect((await harness.row(id)).status).toBe('completed');
    expect(requests[0]?.tools).toEqual([
      expect.objectContaining({ name: 'read_order', description: 'Reads an order.' }),
    ]);
    const last = requests[1]?.messages.at(-1);
    answers.push(last?.role === 'tool' && last.results.map(({ output }) => output));
  }
  expect(answers).toEqual([['A-1 north'], ['A-1 south']]);
});

test('a wrong argument is an error that the model reads', async () => {
  const requests = harness.script([{ calls: [{ tool: 'read_order', arguments: { number: 1 } }] }, { text: ['Done.'] }]);
  const { id } = await harness.start({ agent: 'north' });
  await harness.followToEnd(id);
  const last = requests[1]?.messages.at(-1);
  expect(JSON.stringify(last)).toMatch(/read_order was called wrongly/);
});
