import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { citationStates } from '../../contract/task.ts';
import { putDocument } from '../support/documents/put-document.ts';
import { createApiHarness, type ApiHarness } from './api-harness.ts';

let api: ApiHarness;
beforeAll(async () => {
  api = await createApiHarness();
  api.useBuiltInTool('search_documents');
});
afterAll(() => api?.close());

const put = (text: string, name = 'leave.txt') => putDocument(api.postgres.db, name, text);
const searchCall = { calls: [{ tool: 'search_documents', arguments: { query: 'parental leave weeks' } }] };
/** Runs a task that searches once and then answers; after a refused answer it gives the next one. */
async function ask(...answers: string[]) {
  api.script([searchCall, ...answers.map((text) => ({ text: [text] }))]);
  const { id } = await api.start();
  const events = await api.followToEnd(id);
  return { id, events, row: await api.row(id) };
}
const citationsOf = async (id: string) => (await api.http.get(`/v1/tasks/${id}/citations`)).body.citations;

test('citations are shown as the model read them, with the present state of the cited place', async () => {
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

test('a document that the requester may no longer read counts as deleted', async () => {
  const { documentId } = await put('Parental leave lasts twelve weeks here.', 'shared.txt');
  const { id } = await ask('Twelve [1].');
  await api.postgres.pool.query(`update documents set subject = 'boss', readers = '{}' where id = $1`, [documentId]);
  expect(await citationsOf(id)).toMatchObject([{ state: 'deleted', now: null }]);
});

test('a citation of an unknown number is corrected once, and a valid answer follows', async () => {
  await put('Parental leave lasts ten weeks.', 'ten.txt');
  const { events, row } = await ask('Ten weeks [41].', 'Ten weeks [1].');
  expect(row.result?.text).toBe('Ten weeks [1].');
  expect(events.filter(({ type }) => type === 'model.corrected')).toMatchObject([
    { data: { reason: 'citation_unknown', message: expect.stringContaining('[41]') } },
  ]);
});

test('a repeated citation of an unknown number is removed, and the rest of the answer stays', async () => {
  const { row } = await ask('Ten weeks [1, 41]. Or nine [42].', 'Ten weeks [1, 41]. Or nine [42].');
  expect(row).toMatchObject({ status: 'completed', result: { text: 'Ten weeks [1]. Or nine [no such source].' } });
  expect(row.result?.citations.map(({ n }) => n)).toEqual([1]);
});

test('a task without citations has none; an unknown task is 404', async () => {
  api.script([{ text: ['Hello.'] }]);
  const { id } = await api.start();
  await api.followToEnd(id);
  expect(await citationsOf(id)).toEqual([]);
  expect((await api.http.get('/v1/tasks/0190a1b2-0000-7000-8000-000000000000/citations')).status).toBe(404);
});
