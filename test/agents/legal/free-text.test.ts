import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { agents } from '../../../agents/index.ts';
import { legal } from '../../../agents/legal/agent.ts';
import { agentQueue, systemQueue } from '../../../contract/ids.ts';
import { createTaskHarness, type TaskHarness } from '../../support/tasks/task-harness.ts';
import { putLegalExamples } from '../../support/documents/put-legal-examples.ts';

let harness: TaskHarness;
beforeAll(async () => {
  harness = await createTaskHarness({}, { agents, queues: [agentQueue('legal'), systemQueue] });
  for (const name of ['read_result', ...legal.tools]) harness.useBuiltInTool(name);
  await putLegalExamples(harness);
});
afterAll(() => harness?.close());

const audit = { tool: 'audit_compliance', arguments: { framework: 'gdpr', document: 'legal/privacy-policy.md' } };
async function answered() {
  const { id } = await harness.start({ agent: 'legal', input: { text: 'Does our privacy policy fit the GDPR?' } });
  await harness.followToEnd(id);
  return {
    result: (await harness.row(id)).result,
  };
}

test('a model that quotes what the tool has quoted is believed, and its numbers are citations', async () => {
  const requests = harness.script([
    { calls: [audit] },
    { text: ['The policy says “We keep your data indefinitely, because it helps us to improve the app.” [1]'] },
  ]);
  const { result } = await answered();
  expect(result?.text).toContain('“We keep your data indefinitely');
  expect(result?.citations).toMatchObject([{ document: 'legal/privacy-policy.md' }]);
  expect(requests).toHaveLength(2);
});

test('a model that invents a clause must answer again, and what it invents again is marked', async () => {
  harness.script([
    { calls: [audit] },
    { text: ['It says “We sell your routes to the police”.'] },
    { text: ['It says “We sell your routes to the army”.'] },
  ]);
  const { result } = await answered();
  expect(result?.text).toBe('It says [in no source, word for word: We sell your routes to the army].');
});
