import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { citationStates } from '../../contract/task.ts';
import { putDocument } from '../support/documents/put-document.ts';
import { createApiHarness, type ApiHarness } from './api-harness.ts';
import type { AnyJson } from './checked-client.ts';

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

describe('GET /v1/documents/{id}/text', () => {
  const read = (id: string, query = '', headers = {}) => api.http.get(`/v1/documents/${id}/text${query}`, headers);

  test('a citation’s start and end cut its quote from the text', async () => {
    await put('Café Zoë 🏝️ is closed.\n\nParental leave lasts eleven weeks in Zoë. Tell us early.', 'zoe.txt');
    const { id } = await ask('Eleven weeks in Zoë [1]. Others differ [2].');
    const { documentId, quote, start, end, version } = (await citationsOf(id)).find(
      ({ document }: AnyJson) => document === 'zoe.txt',
    );
    expect(quote).toContain('eleven weeks');
    const part = await read(documentId, `?version=${version}&start=${start}&end=${end}`);
    expect([part.status, part.body]).toEqual([200, quote]);
    expect(part.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    const whole = await read(documentId);
    expect(await read(documentId, '', { accept: 'text/plain' })).toMatchObject({ status: 200, body: whole.body });
    expect((await read(documentId, '', { accept: 'image/png' })).status).toBe(406);
    expect((whole.body as string).slice(start, end)).toBe(quote);
    expect((await read(documentId, `?start=${start}&end=${end}`, { accept: 'application/json' })).body).toEqual({
      documentId,
      version: 1,
      contentHash: expect.any(String),
      start,
      end,
      characters: (whole.body as string).length,
      text: quote,
    });
  });

  test('parts that follow each other make the whole text, also across a character of two code units', async () => {
    const text = 'a🏝b🏝c.';
    const { documentId } = await put(text, 'islands.txt');
    for (let at = 0; at <= text.length; at++) {
      const [first, second] = [await read(documentId, `?end=${at}`), await read(documentId, `?start=${at}`)];
      expect([at, first.body + second.body, second.headers.get('text-start')]).toEqual([
        at,
        text,
        first.headers.get('text-end'),
      ]);
    }
    expect((await read(documentId, '?start=3&end=900')).headers.get('text-end')).toBe(String(text.length));
  });

  test('an older version is gone, a later one is not there, and a part that does not exist is refused', async () => {
    const { documentId } = await put('One.', 'versions.txt');
    await put('Two.', 'versions.txt');
    expect(await read(documentId, '?version=2')).toMatchObject({ status: 200, body: 'Two.' });
    const gone = await read(documentId, '?version=1');
    expect(gone).toMatchObject({ status: 410, body: { code: 'document_version_gone' } });
    expect(gone.body.detail).toMatch(/replaced by version 2/);
    expect(await read(documentId, '?version=3')).toMatchObject({ status: 404, body: { code: 'not_found' } });
    for (const query of ['?start=5', '?start=3&end=2', '?start=-1', '?end=x', '?version=0', '?from=1'])
      expect([query, (await read(documentId, query)).status]).toEqual([query, 422]);
    expect((await read(documentId, '?start=5')).body.issues).toEqual([
      { path: 'query.start', message: 'the text has 4 characters' },
    ]);
    expect((await read(documentId, '', { accept: 'image/png' })).status).toBe(406);
    await api.postgres.pool.query(`update documents set subject = 'boss', readers = '{}' where id = $1`, [documentId]);
    expect((await read(documentId)).status).toBe(404);
    expect((await read('nope')).status).toBe(404);
  });

  test('a text that is longer than one answer comes in parts', async () => {
    const { documentId } = await put('Leave.', 'long.txt');
    const text = 'Leave. '.repeat(400_000);
    await api.postgres.pool.query('update documents set text = $2 where id = $1', [documentId, text]);
    const refused = await read(documentId);
    expect([refused.status, refused.body.issues[0].message]).toEqual([422, expect.stringMatching(/2000000.*start=0/)]);
    const first = await read(documentId, '?end=2000000');
    const rest = await read(documentId, `?start=${first.headers.get('text-end')}`);
    expect(first.body + rest.body === text).toBe(true);
  });
});
