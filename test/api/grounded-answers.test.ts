import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { putDocument } from '../support/documents/put-document.ts';
import { createApiHarness, type ApiHarness } from './api-harness.ts';

let api: ApiHarness;
beforeAll(async () => {
  api = await createApiHarness();
  api.useBuiltInTool('search_documents');
  await putDocument(api.postgres.db, 'leave.txt', 'Parental leave lasts sixteen weeks. Tell us early.');
});
afterAll(() => api?.close());

const search = { name: 'search_documents', arguments: { query: 'parental leave weeks' } };
const run = async (request: Parameters<ApiHarness['start']>[0] = {}) => {
  const { id } = await api.start(request);
  const events = await api.followToEnd(id);
  return { events, row: await api.row(id) };
};

test('an answer that cites passages without any search is corrected, then its citations are struck out', async () => {
  api.script([{ text: ['Sixteen weeks [1].'] }, { text: ['Sixteen weeks [1].'] }]);
  const { events, row } = await run();
  expect(events.filter(({ type }) => type === 'model.corrected')).toMatchObject([
    { data: { reason: 'citation_unknown', message: expect.stringContaining('Search first') } },
  ]);
  expect(row.result).toMatchObject({ text: 'Sixteen weeks [no such source].', citations: [], grounded: false });
});

test('a right answer without numbers gets its citations from code', async () => {
  api.script([
    { calls: [{ tool: search.name, arguments: search.arguments }] },
    { text: ['Parental leave lasts sixteen weeks. ', 'Ask somebody else about the moon and the stars.'] },
  ]);
  expect((await run()).row.result).toMatchObject({
    text: 'Parental leave lasts sixteen weeks [1]. Ask somebody else about the moon and the stars.',
    citations: [{ n: 1, quote: 'Parental leave lasts sixteen weeks.' }],
    grounded: true,
  });
});

test('the tool that a user asks to call first is called, whatever the model would do', async () => {
  const requests = api.script([{ text: ['Sixteen weeks [1].'] }]);
  const { row } = await run({ input: { text: 'How long is it?', tool: search } });
  expect(requests).toHaveLength(1);
  expect(requests[0]?.messages.slice(-2)).toMatchObject([
    { role: 'assistant', parts: [{ type: 'tool_call', tool: search.name, arguments: search.arguments }] },
    { role: 'tool', results: [{ tool: search.name, isError: false }] },
  ]);
  expect(row.result).toMatchObject({ text: 'Sixteen weeks [1].', grounded: true });
});
