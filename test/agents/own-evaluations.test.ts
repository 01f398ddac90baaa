import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { agents, findAgent } from '../../agents/index.ts';
import { readCases } from '../../cli/agents/cases.ts';
import { runCase, type CaseResult } from '../../cli/agents/run-case.ts';
import { agentQueue, systemQueue } from '../../contract/ids.ts';
import { localPrincipal } from '../../contract/principal.ts';
import { putPolicies } from '../support/documents/put-policies.ts';
import { createTaskHarness, type TaskHarness } from '../support/tasks/task-harness.ts';

const folderOf = (name: string) => fileURLToPath(new URL(`../../agents/${name}`, import.meta.url));
const evaluated = Object.keys(agents).filter((name) => existsSync(`${folderOf(name)}/evals`));

let harness: TaskHarness;
beforeAll(async () => {
  harness = await createTaskHarness(
    { ALFRED_MODEL: 'offline:quote' },
    { agents, queues: [...evaluated.map(agentQueue), systemQueue] },
  );
  const named = evaluated.flatMap((name) => findAgent(agents, name)?.tools ?? []);
  for (const name of new Set([...named, 'read_result'])) harness.useBuiltInTool(name);
  await putPolicies(harness);
});
afterAll(() => harness.close());

test.each(evaluated)('%s passes its own evaluation offline', async (name) => {
  const agent = findAgent(agents, name);
  if (!agent) throw new Error(`no agent ${name}`);
  const results: CaseResult[] = [];
  for (const each of await readCases(folderOf(name)))
    results.push(await runCase({ adapters: harness, principal: localPrincipal }, { name, agent }, each));
  expect(results.length).toBeGreaterThan(0);
  expect(results.filter(({ faults }) => faults.length > 0)).toEqual([]);
});
