import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { z } from 'zod';
import { AlfredError } from '../../contract/errors.ts';
import { knowledge } from '../../agents/knowledge/agent.ts';
import { createTaskHarness, type TaskHarness } from '../support/tasks/task-harness.ts';

let harness: TaskHarness;
let structured: TaskHarness;
beforeAll(async () => {
  harness = await createTaskHarness();
  const answer = z.object({ total: z.number(), currency: z.string().length(3) });
  structured = await createTaskHarness({}, { agents: { knowledge: { ...knowledge, answer } } });
});
afterAll(() => Promise.all([harness?.close(), structured?.close()]));

const toolCall = (at: number) => ({ calls: [{ tool: 'look', arguments: { at } }] });
const runTask = async (taskHarness: TaskHarness = harness) => {
  const { id } = await taskHarness.start();
  const events = await taskHarness.followToEnd(id);
  return { events, row: await taskHarness.row(id) };
};

test('a tool call written as text is corrected once, and the task continues', async () => {
  harness.tool('search_documents', async () => ({ output: 1, summary: 'looked' }));
  const requests = harness.script([
    { text: ['```json\n{"name": "search_documents", "arguments": {"query": "x"}}\n```'] },
    { text: ['In words.'] },
  ]);
  const { events, row } = await runTask();
  expect(row.result?.text).toBe('In words.');
  expect(events.find(({ type }) => type === 'model.corrected')).toMatchObject({ data: { reason: 'tool_as_text' } });
  expect(requests[1]?.messages.at(-1)).toMatchObject({ role: 'user', because: 'tool_as_text' });
});

test('a second tool call written as text fails the task with a clear code', async () => {
  const requests = harness.script(() => ({ text: ['{"name": "search_documents", "arguments": {"query": "x"}}'] }));
  expect((await runTask()).row).toMatchObject({ status: 'failed', error: { code: 'model_tool_as_text' } });
  expect(requests).toHaveLength(2);
});

test('an answer that contains other JSON is accepted', async () => {
  harness.script([{ text: ['{"name": "Ada", "age": 36}'] }]);
  expect((await runTask()).row.status).toBe('completed');
});

test('an unknown tool is reported once, then the task fails', async () => {
  const requests = harness.script(() => ({ calls: [{ tool: 'nope', arguments: {} }] }));
  expect((await runTask()).row).toMatchObject({ status: 'failed', error: { code: 'model_unknown_tool' } });
  expect(requests).toHaveLength(2);
  expect(requests[1]?.messages.at(-1)).toMatchObject({ results: [{ isError: true }] });
});

test('wrong arguments are reported once, then the task fails; a good call in between resets that', async () => {
  harness.tool('look', async (input) => {
    if ((input as { at: number }).at < 0) throw new AlfredError('invalid_request', 'at is negative');
    return { output: input, summary: 'looked' };
  });
  harness.script([toolCall(-1), toolCall(1), toolCall(-2), { text: ['Done.'] }]);
  expect((await runTask()).row.status).toBe('completed');
  harness.script([toolCall(-1), toolCall(-2)]);
  expect((await runTask()).row).toMatchObject({ status: 'failed', error: { code: 'model_invalid_arguments' } });
});

test('the same call with the same result gets a warning, and fails the task the third time', async () => {
  harness.tool('look', async (input) => ({ output: { input }, summary: 'looked' }));
  const requests = harness.script(() => toolCall(7));
  expect((await runTask()).row).toMatchObject({ status: 'failed', error: { code: 'model_loop' } });
  expect(requests).toHaveLength(3);
  expect(JSON.stringify(requests[2]?.messages.at(-1))).toContain('You made this same call before');
});

test('the same call whose result changes is no loop', async () => {
  let looked = 0;
  harness.tool('look', async () => ({ output: { looked: ++looked }, summary: 'looked' }));
  harness.script((_, call) => (call <= 6 ? toolCall(7) : { text: ['It changed.'] }));
  expect((await runTask()).row.status).toBe('completed');
});

test('two steps that use the same call id are two calls', async () => {
  let runs = 0;
  harness.tool('look', async (input) => ({ output: { run: ++runs, input }, summary: 'looked' }));
  harness.script((_, call) =>
    call <= 2 ? { calls: [{ tool: 'look', arguments: { at: call }, callId: 'call_0' }] } : { text: ['Done.'] },
  );
  expect((await runTask()).row.status).toBe('completed');
  expect(runs).toBe(2);
});

test('an agent with an answer schema gets data', async () => {
  const requests = structured.script([{ text: ['{"total": 12.5, "currency": "EUR"}'] }]);
  const { row } = await runTask(structured);
  expect(row.result).toMatchObject({ data: { total: 12.5, currency: 'EUR' } });
  expect(requests[0]?.outputSchema).toMatchObject({ type: 'object', required: ['total', 'currency'] });
});

test('an answer that does not fit its schema is corrected once', async () => {
  structured.script([{ text: ['Twelve fifty.'] }, { text: ['```json\n{"total": 12.5, "currency": "EUR"}\n```'] }]);
  const { events, row } = await runTask(structured);
  expect(row.result?.data).toEqual({ total: 12.5, currency: 'EUR' });
  expect(events.find(({ type }) => type === 'model.corrected')).toMatchObject({ data: { reason: 'output_invalid' } });
});

test('an answer that does not fit after the correction fails the task, and the correction names the fault', async () => {
  const requests = structured.script(() => ({ text: ['{"total": "twelve"}'] }));
  expect((await runTask(structured)).row).toMatchObject({ status: 'failed', error: { code: 'model_output_invalid' } });
  expect(requests).toHaveLength(2);
  expect(JSON.stringify(requests[1]?.messages.at(-1))).toContain('total');
});
