import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { citationStates } from '../../contract/task.ts';
import { putDocument } from '../support/documents/put-document.ts';
import { createApiHarness, type ApiHarness } from './api-harness.ts';

let api: ApiHarness;
beforeAll(async () => {
  api = await createApiHarness();
  const search = api.adapterTools['search_documents'];
  if (!search) throw new Error('the search is a tool');
  api.tool('search_documents', (input, context) => search.run(input, context));
});
afterAll(() => api?.close());

const put = (text: string, name = 'leave.txt') => putDocument(api.postgres.db, name, text);
const lookedUp = { calls: [{ tool: 'search_documents', arguments: { query: 'parental leave weeks' } }] };
/** A task that searches once, and says these things one after the other. */
async function ask(...answers: string[]) {
  api.script([lookedUp, ...answers.map((text) => ({ text: [text] }))]);
  const { id } = await api.start();
  const events = await api.followToEnd(id);
  return { id, events, row: await api.row(id) };
}
const citationsOf = async (id: string) => (await api.http.get(`/v1/tasks/${id}/citations`)).body.citations;

test('an answer’s citations are shown as they were read, and say what has become of the place since', async () => {
  const text = 'Parental leave lasts sixteen weeks. Tell us early.';
  const { documentId } = await put(text);
  const { id } = await ask('It lasts sixteen weeks [1].');
  const [first] = await citationsOf(id);
  expect(first).toMatchObject({
    n: 1,
    documentId,
    version: 1,
    query: 'parental leave weeks',
    quote: 'Parental leave lasts sixteen weeks.',
    passage: { text, start: 0, end: text.length },
    state: 'unchanged',
    now: { version: 1, start: 0, end: 35 },
  });
  expect(first.indexVersion).toMatch(/^embedded-/);

  await put(`New rules of 2027.\n\n${text}`);
  expect(await citationsOf(id)).toMatchObject([
    { state: 'moved', now: { version: 2, start: 20, end: 55 }, start: 0, passage: { text } },
  ]);
  await put('Parental leave lasts twenty weeks.');
  expect(await citationsOf(id)).toMatchObject([{ state: 'changed', now: null, quote: first.quote, passage: { text } }]);
  expect((await api.http.request(`/v1/documents/${documentId}`, { method: 'DELETE' })).status).toBe(204);
  expect(await citationsOf(id)).toMatchObject([{ state: 'deleted', now: null, quote: first.quote, passage: { text } }]);
  expect(citationStates).toHaveLength(4);
});

test('a document that is no longer for whoever asked counts as deleted', async () => {
  const { documentId } = await put('Parental leave lasts twelve weeks here.', 'shared.txt');
  const { id } = await ask('Twelve [1].');
  await api.postgres.pool.query(`update documents set subject = 'boss', readers = '{}' where id = $1`, [documentId]);
  expect(await citationsOf(id)).toMatchObject([{ state: 'deleted', now: null }]);
});

test('a number that no passage has is told once; a good answer follows', async () => {
  await put('Parental leave lasts ten weeks.', 'ten.txt');
  const { events, row } = await ask('Ten weeks [41].', 'Ten weeks [1].');
  expect(row.result?.text).toBe('Ten weeks [1].');
  expect(events.filter(({ type }) => type === 'model.corrected')).toMatchObject([
    { data: { reason: 'citation_unknown', message: expect.stringContaining('[41]') } },
  ]);
});

test('one that comes again is struck out, and the rest of the answer stays', async () => {
  const { row } = await ask('Ten weeks [1, 41]. Or nine [42].', 'Ten weeks [1, 41]. Or nine [42].');
  expect(row).toMatchObject({ status: 'completed', result: { text: 'Ten weeks [1]. Or nine [no such source].' } });
  expect(row.result?.citations.map(({ n }) => n)).toEqual([1]);
});

test('a task without an answer, or without citations, has none; one that is not there is not found', async () => {
  api.script([{ text: ['Hello.'] }]);
  const { id } = await api.start();
  await api.followToEnd(id);
  expect(await citationsOf(id)).toEqual([]);
  expect((await api.http.get('/v1/tasks/0190a1b2-0000-7000-8000-000000000000/citations')).status).toBe(404);
});
