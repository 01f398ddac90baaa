import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { hashHex } from '../../adapters/postgres/hashes.ts';
import { documentsQueue, ingestionWorkflowId } from '../../contract/ids.ts';
import { startWorkers, type RunningWorkers } from '../../workers/compose.ts';
import { createApiHarness, identifyBySubject, type ApiHarness } from './api-harness.ts';
import { eventsIn, type CheckedResponse, type JsonObject } from './checked-client.ts';
import { until } from '../support/until.ts';

let api: ApiHarness;
let workers: RunningWorkers;
beforeAll(async () => {
  api = await createApiHarness({ ALFRED_MAX_UPLOAD_MB: '1' }, { identify: identifyBySubject });
  workers = await startWorkers(api, api, [documentsQueue]);
});
afterAll(async () => {
  await workers?.stop();
  await api?.close();
});

const upload = (...files: [name: string, content: string | Uint8Array<ArrayBuffer>, type?: string][]) => {
  const form = new FormData();
  for (const [name, content, type] of files)
    form.append('file', new Blob([content], { type: type ?? 'application/octet-stream' }), name);
  return api.http.request('/v1/documents', { method: 'POST', body: form });
};
/** Waits until an upload is ingested. @returns the ingestion */
async function ingest({ status, headers }: CheckedResponse): Promise<JsonObject> {
  expect(status).toBe(202);
  return until('the upload is ingested', async () => (await api.http.get(headers.get('location') ?? '')).body, {
    accept: (ingestion) => ingestion.status !== 'running',
  });
}

describe('POST /v1/documents', () => {
  test('takes several files with their paths, and ingests them', async () => {
    const done = await ingest(
      await upload(
        ['handbook/travel.md', '# Travel\n\nTrains before planes.'],
        ['Überstunden.txt', 'Overtime is paid.'],
      ),
    );
    expect(done).toMatchObject({
      status: 'completed',
      files: 2,
      counts: { added: 2, failed: 0, pending: 0 },
      failures: [],
    });
    const { body } = await api.http.get('/v1/documents');
    expect(body.documents.map(({ name }: JsonObject) => name)).toEqual(
      expect.arrayContaining(['handbook/travel.md', 'Überstunden.txt']),
    );
  });

  test('waits as long as the request prefers, and answers 200 when all files were read', async () => {
    const form = new FormData();
    form.append('file', new Blob(['# Waited for']), 'waited.md');
    const headers = { prefer: 'wait=20' };
    const done = await api.http.request('/v1/documents', { method: 'POST', body: form, headers });
    expect([done.status, done.headers.get('preference-applied')]).toEqual([200, 'wait=20']);
    expect(done.body).toMatchObject({ status: 'completed', outcome: 'all', counts: { added: 1 } });
    expect(done.headers.get('location')).toBe(done.body.links.self);
    await workers.stop();
    const slow = await api.http.post('/v1/documents', { name: 'slow.md', text: '# Slow' }, { prefer: 'wait=1' });
    expect(slow).toMatchObject({ status: 202, body: { status: 'running', outcome: null } });
    const waiting = api.http.get(slow.body.links.self, headers);
    workers = await startWorkers(api, api, [documentsQueue]);
    expect((await waiting).body).toMatchObject({ status: 'completed', outcome: 'all' });
  });

  test('takes a text as JSON; the same text again is unchanged, another text replaces it', async () => {
    const put = (text: string) => api.http.post('/v1/documents', { name: 'note.md', text });
    expect((await ingest(await put('# One'))).counts).toMatchObject({ added: 1 });
    expect((await ingest(await put('# One'))).counts).toMatchObject({ unchanged: 1 });
    expect((await ingest(await put('# Two'))).counts).toMatchObject({ replaced: 1 });
  });

  test('reports the files that could not be read, and ingests the others', async () => {
    const done = await ingest(
      await upload(
        ['empty.md', ''],
        ['broken.pdf', '%PDF-1.7 nothing'],
        ['zeros.bin', new Uint8Array(100)],
        ['fine.md', '# Fine'],
      ),
    );
    expect(done).toMatchObject({ status: 'completed', outcome: 'some', counts: { added: 1, failed: 3 } });
    const codes = Object.fromEntries((done['failures'] as JsonObject[]).map(({ name, error }) => [name, error.code]));
    expect(codes).toMatchObject({
      'empty.md': 'file_empty',
      'broken.pdf': expect.stringMatching(/^file_/),
      'zeros.bin': expect.stringMatching(/^file_/),
    });
  });

  test('refuses an upload above the limit, as a form or as JSON, and names the limit and its variable', async () => {
    for (const answer of [
      await upload(['big.txt', 'x'.repeat(1_000_001)]),
      await api.http.post('/v1/documents', { name: 'big.txt', text: 'x'.repeat(1_000_001) }),
    ]) {
      expect([answer.status, answer.body.code]).toEqual([413, 'body_too_large']);
      expect(answer.body.detail).toMatch(/1 MB.*ALFRED_MAX_UPLOAD_MB/);
    }
  });

  test.each([
    '../secret.md',
    '/etc/passwd',
    'a/../../b.md',
    './a.md',
    'a//b.md',
    'C:\\a.md',
    'a\\b.md',
    'a\u0007.md',
    'x'.repeat(513),
  ])('refuses the file name %j', async (name) => {
    const answer = await api.http.post('/v1/documents', { name, text: 'x' });
    expect([answer.status, answer.body.code, answer.body.issues[0].path]).toEqual([422, 'invalid_request', 'name']);
  });

  test('refuses a path that leaves the folder in a multipart form, and two files with the same name', async () => {
    expect((await upload(['../a.md', 'x'])).status).toBe(422);
    expect((await upload(['a.md', 'x'], ['a.md', 'y'])).body.issues).toEqual([
      { path: 'name', message: '"a.md" comes twice in this upload' },
    ]);
  });

  test('refuses a form without a file, a form with unknown fields, and JSON with unknown or missing fields', async () => {
    const form = (entries: [string, string][]) => {
      const data = new FormData();
      for (const [name, value] of entries) data.append(name, value);
      return api.http.request('/v1/documents', { method: 'POST', body: data });
    };
    expect((await form([])).body.detail).toContain('holds no file');
    expect((await form([['title', 'x']])).body.issues[0].path).toBe('title');
    for (const body of [
      {},
      { name: 'a.md' },
      { name: 'a.md', text: '' },
      { name: 'a.md', text: 'x', mediaType: 'image/png' },
      { name: 'a.md', text: 'x', size: 1 },
      { name: 'a.md', text: '\u0000' },
    ]) {
      expect([body, (await api.http.post('/v1/documents', body)).status]).toEqual([body, 422]);
    }
  });

  test.each([
    ['no boundary', 'multipart/form-data', 'x'],
    ['a boundary that never comes', 'multipart/form-data; boundary=b', 'x'],
    [
      'a part that breaks off',
      'multipart/form-data; boundary=b',
      '--b\r\nContent-Disposition: form-data; name="file"; filename="a.md"\r\n\r\nhalf',
    ],
  ])('refuses a form with %s', async (_, type, body) => {
    const answer = await api.http.request('/v1/documents', { method: 'POST', headers: { 'content-type': type }, body });
    expect([400, 415, 422]).toContain(answer.status);
  });
});

describe('GET /v1/ingestions/{id}/events', () => {
  const follow = (id: string, headers = {}) => api.http.get(`/v1/ingestions/${id}/events`, headers);

  test('tells what became of each file and how the upload ended, live and from any number on', async () => {
    await workers.stop();
    const { id } = (await upload(['events/a.md', '# A'], ['events/empty.md', ''], ['events/b.md', '# B'])).body;
    const live = fetch(`${api.url}/v1/ingestions/${id}/events`).then((response) => response.text());
    expect((await follow(id, { accept: 'application/json' })).body).toMatchObject({ lastSeq: 1 });
    workers = await startWorkers(api, api, [documentsQueue]);
    const events = eventsIn(await live);
    expect(events.map(({ id: seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
    expect(events.map(({ event }) => event).sort()).toEqual(
      ['file.failed', 'file.read', 'file.read', 'ingestion.completed', 'ingestion.queued'].sort(),
    );
    expect(events.at(0)?.data).toMatchObject({ type: 'ingestion.queued', data: { files: 3 } });
    expect(events.find(({ event }) => event === 'file.failed')?.data.data).toMatchObject({
      file: 1,
      name: 'events/empty.md',
      error: { code: 'file_empty' },
    });
    expect(events.at(-1)?.data.data).toMatchObject({ outcome: 'some', counts: { added: 2, failed: 1, pending: 0 } });
    const { body } = await follow(id, { accept: 'application/json', 'last-event-id': '3' });
    expect(body).toEqual({ events: events.slice(3).map(({ data }) => data), lastSeq: 5, nextCursor: null });
    expect((await follow(id, { 'last-event-id': '5' })).status).toBe(204);
    expect(eventsIn((await follow(id, { 'last-event-id': '1' })).body)).toHaveLength(4);
    expect((await follow('01a2016f-73a4-7695-9a05-0f2fb996e093')).status).toBe(404);
    expect((await api.http.request(`/v1/ingestions/${id}/events`, { headers: { 'x-subject': 'eve' } })).status).toBe(
      404,
    );
  });
});

describe('POST /v1/ingestions/{id}/retry', () => {
  const retry = (id: string) => api.http.request(`/v1/ingestions/${id}/retry`, { method: 'POST' });
  const asEve = (path: string, init: RequestInit = {}) =>
    api.http.request(path, { ...init, headers: { 'x-subject': 'eve', 'content-type': 'application/json' } });

  test('ingests only the failed files again', async () => {
    const theirs = await asEve('/v1/documents', {
      method: 'POST',
      body: JSON.stringify({ name: 'taken.md', text: 'Eve was first.' }),
    });
    await until('the first upload is ingested', async () => (await asEve(`/v1/ingestions/${theirs.body.id}`)).body, {
      accept: ({ status }) => status !== 'running',
    });
    const first = await ingest(await upload(['taken.md', '# Mine'], ['fine.md', '# Fine, too']));
    expect(first).toMatchObject({ counts: { failed: 1 }, failures: [{ error: { code: 'document_not_yours' } }] });
    const again = await ingest(await retry(first['id']));
    expect(again).toMatchObject({ retryOf: first['id'], files: 1, counts: { failed: 1 } });

    const { documents } = (await asEve('/v1/documents')).body;
    const { id } = documents.find(({ name }: JsonObject) => name === 'taken.md');
    await api.http.request(`/v1/documents/${id}`, { method: 'DELETE', headers: { 'x-subject': 'eve' } });
    const [one, two] = await Promise.all([retry(again['id']), retry(first['id'])]);
    expect([one.status, two.status, one.body.id]).toEqual([202, 202, two.body.id]);
    expect(await ingest(one)).toMatchObject({ counts: { added: 1, failed: 0 }, failures: [] });
    const done = await retry(first['id']);
    expect([done.status, done.body.code]).toEqual([409, 'ingestion_without_failures']);
  });

  test('ingests the files that a terminated workflow left, of an upload and of a retry', async () => {
    await workers.stop();
    const terminate = (id: string) => api.client.workflow.getHandle(ingestionWorkflowId(id)).terminate('by hand');
    const first = (await upload(['left.md', '# Left'])).body;
    await terminate(first.id);
    const one = await retry(first.id);
    expect([one.status, one.body]).toMatchObject([202, { status: 'running', retryOf: first.id }]);
    await terminate(one.body.id);
    const two = await retry(first.id);
    expect([two.status, two.body]).toMatchObject([202, { status: 'running', retryOf: first.id, files: 1 }]);
    expect(two.body.id).not.toBe(one.body.id);
    workers = await startWorkers(api, api, [documentsQueue]);
    expect(await ingest(two)).toMatchObject({ status: 'completed', counts: { added: 1 } });
  });

  test('is refused with the reason when there is nothing to retry', async () => {
    const fine = await ingest(await upload(['whole.md', '# Whole']));
    expect((await retry(fine['id'])).body.code).toBe('ingestion_without_failures');
    const failed = await ingest(await upload(['gone.pdf', '%PDF-1.7 nothing at all']));
    await api.postgres.db.deleteFrom('files').where('hash', '=', hashHex('%PDF-1.7 nothing at all')).execute();
    const gone = await retry(failed['id']);
    expect([gone.status, gone.body.code]).toEqual([410, 'file_bytes_gone']);
    expect((await asEve(`/v1/ingestions/${failed['id']}/retry`, { method: 'POST', body: '{}' })).status).toBe(404);
    expect((await retry('01a2016f-73a4-7695-9a05-0f2fb996e093')).status).toBe(404);
  });
});

test('a document is read, found and deleted; then it is 404 and no longer found', async () => {
  await ingest(
    await upload([
      'policies/expenses.md',
      '# Expenses\n\nFile an expense report within thirty days of the zanzibar trip.',
    ]),
  );
  const find = () => api.http.post('/v1/search', { query: 'zanzibar expense' });
  const [passage] = (await find()).body.passages;
  expect(passage).toMatchObject({ document: 'policies/expenses.md', text: expect.stringContaining('thirty days') });
  expect((await api.http.get(`/v1/documents/${passage.documentId}`)).body).toMatchObject({
    id: passage.documentId,
    name: 'policies/expenses.md',
  });
  const remove = () => api.http.request(`/v1/documents/${passage.documentId}`, { method: 'DELETE' });
  expect((await remove()).status).toBe(204);
  expect((await find()).body).toMatchObject({ passages: [], evidence: 'none', answerable: false, mode: 'lexical' });
  expect([(await remove()).status, (await api.http.get(`/v1/documents/${passage.documentId}`)).status]).toEqual([
    404, 404,
  ]);
});

test.each([
  {},
  { query: '' },
  { query: 'x', limit: 0 },
  { query: 'x', limit: 51 },
  { query: 'x', page: 2 },
  { query: 1 },
])('the search %j is refused', async (body) => {
  expect((await api.http.post('/v1/search', body)).status).toBe(422);
});

test.each(['"', 'NEAR(', '* OR', 'a:b', '{}', '-', '日本'])(
  'a search for %j is plain text, not a query language',
  async (query) => {
    expect((await api.http.post('/v1/search', { query })).status).toBe(200);
  },
);

test.each(['/v1/documents/nope', '/v1/ingestions/nope', '/v1/ingestions/01a2016f-73a4-7695-9a05-0f2fb996e093'])(
  '%s is 404',
  async (path) => {
    expect((await api.http.get(path)).body.code).toBe('not_found');
  },
);

test.each(['limit=0', 'limit=501', 'cursor=nonsense', 'sort=name'])(
  'GET /v1/documents?%s is refused',
  async (query) => {
    expect((await api.http.get(`/v1/documents?${query}`)).status).toBe(422);
  },
);
