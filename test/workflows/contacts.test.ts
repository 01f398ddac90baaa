import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { contactIngestWorkflowId, contactSyncWorkflowId, systemQueue } from '../../contract/ids.ts';
import type { sweepTasksWorkflow } from '../../workflows/sweep/workflow.ts';
import { createApiHarness, type ApiHarness } from '../api/api-harness.ts';
import { hubSpotToken, refusedDomain, startFakeHubSpot, type FakeHubSpot } from '../support/fakes/fake-hubspot.ts';
import { signedIn } from '../support/principals.ts';
import { until } from '../support/until.ts';

let api: ApiHarness;
let hubSpot: FakeHubSpot;
beforeAll(async () => {
  hubSpot = await startFakeHubSpot();
  api = await createApiHarness(
    {
      ALFRED_CRM: 'hubspot',
      ALFRED_CRM_TENANT: 'local',
      HUBSPOT_ACCESS_TOKEN: hubSpotToken,
      HUBSPOT_URL: hubSpot.url,
      ALFRED_CONTACTS_COUNTRY: 'DE',
      ALFRED_MAX_UPLOAD_MB: '1',
      ALFRED_SWEEP_INTERVAL_S: '86400',
    },
    {
      identify: ({ 'x-subject': subject = 'local' }) =>
        signedIn(String(subject), { roles: subject === 'local' ? ['operator'] : [] }),
    },
    { queues: [systemQueue] },
  );
});
afterAll(async () => {
  await api?.close();
  await hubSpot?.close();
});
beforeEach(async () => {
  await api.postgres.pool.query('truncate contacts, contact_ingests, contact_merges cascade');
  hubSpot.contacts.clear();
});

const send = (body: string, type = 'text/csv', { query = '', headers = {} } = {}) =>
  api.http.request(`/v1/contacts${query}`, {
    method: 'POST',
    headers: { 'content-type': type, ...headers },
    body,
  });
const ended = (id: string) =>
  until(`the upload ${id} has ended`, async () => (await api.http.get(`/v1/contact-ingests/${id}`)).body, {
    accept: ({ status }) => status !== 'running',
  });
const ingest = async (...args: Parameters<typeof send>) => {
  const { status, body } = await send(...args);
  if (status !== 202) throw new Error(JSON.stringify(body));
  return ended(body.id);
};
const inCrm = () =>
  until('the CRM has everything', async () => {
    const { rows } = await api.postgres.pool.query('select from contacts where crm_due');
    return rows.length === 0;
  });
const counted = async (name: string) => {
  const text = await api.metrics.registry.getSingleMetricAsString(name);
  return Object.fromEntries(
    [...text.matchAll(/^\w+\{(.*)\} (\d+)$/gm)].map(([, labels = '', value]) => [labels, Number(value)]),
  );
};

test('an upload is checked, merged, stored and written to the CRM, and what was rejected comes back corrected', async () => {
  const before = [await counted('contact_ingest_total'), await counted('contact_sync_total')] as const;
  const csv =
    'name;email;phone;Note\n' +
    'Ann Lee;ann@example.com;030 901820;"=SUM(A1)"\n' +
    'ANN LEE;Ann@Example.com;+49 30 901821;"two\nlines"\n' +
    'Bob Ray;bob@;;+cmd\n' +
    `Cy;cy${refusedDomain};;\n`;
  const first = await ingest(csv, 'text/csv', { query: '?name=fair.csv&source=cli' });
  expect(first).toMatchObject({
    status: 'completed',
    source: 'cli',
    name: 'fair.csv',
    country: 'DE',
    lines: 4,
    counts: { pending: 0, added: 2, merged: 1, unchanged: 0, rejected: 1 },
  });
  await inCrm();
  const of = (list: (typeof before)[number], key: string) => list[key] ?? 0;
  const after = [await counted('contact_ingest_total'), await counted('contact_sync_total')] as const;
  for (const [outcome, lines] of Object.entries({ added: 2, merged: 1, rejected: 1 })) {
    const key = `source="cli",outcome="${outcome}"`;
    expect([outcome, of(after[0], key) - of(before[0], key)]).toEqual([outcome, lines]);
  }
  for (const outcome of ['confirmed', 'refused'])
    expect(of(after[1], `outcome="${outcome}"`) - of(before[1], `outcome="${outcome}"`)).toBe(1);

  const { contacts } = (await api.http.get('/v1/contacts?q=lee')).body;
  expect(contacts).toMatchObject([
    {
      name: 'Ann Lee',
      phones: ['+4930901820', '+4930901821'],
      custom: { Note: 'two\nlines' },
      crm: { pending: false },
    },
  ]);
  expect(hubSpot.contacts.get('ann@example.com')).toMatchObject({ id: contacts[0].crm.id, writes: 1 });

  const rejected = await api.http.get(`/v1/contact-ingests/${first.id}/rejected`);
  expect(rejected.headers.get('content-type')).toBe('text/csv; charset=utf-8');
  expect(rejected.body).toBe(
    'alfred_line,alfred_reason,name,email,phone,Note\r\n' +
      '5,"email: ""bob@"" is no e-mail address",Bob Ray,bob@,,\'+cmd\r\n',
  );
  const json = await api.http.get(`/v1/contact-ingests/${first.id}/rejected`, { accept: 'application/jsonl' });
  expect(JSON.parse(json.body)).toMatchObject({ alfred_line: 5, email: 'bob@', Note: '+cmd' });
  const corrected = String(rejected.body).replace(',bob@,', ',bob@example.com,');
  expect((await ingest(corrected)).counts).toMatchObject({ added: 1, rejected: 0 });
  expect((await api.http.get('/v1/contacts?q=bob')).body.contacts).toMatchObject([{ custom: { Note: '+cmd' } }]);
  // An upload is for its sender, and contacts are for the tenant.
  const bob = { 'x-subject': 'bob' };
  expect((await api.http.get(`/v1/contact-ingests/${first.id}`, bob)).status).toBe(404);
  expect((await api.http.get('/v1/contacts?q=lee', bob)).body.contacts).toHaveLength(1);
});

test('JSON, JSON lines and vCards come in as CSV does', async () => {
  await ingest('[{"name":"Ann","email":"a@example.com"}]', 'application/json');
  await ingest('{"email":"b@example.com"}\n{"email":1}\n', 'application/x-ndjson; charset=utf-8');
  const card = 'BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Cy\r\nEMAIL:c@example.com\r\nEND:VCARD\r\n';
  await ingest(card, 'text/vcard');
  const { ingests } = (await api.http.get('/v1/contact-ingests')).body;
  expect(ingests.map(({ format, counts }: { format: string; counts: object }) => [format, counts])).toMatchObject([
    ['vcard', { added: 1, rejected: 0 }],
    ['jsonl', { added: 1, rejected: 1 }],
    ['json', { added: 1, rejected: 0 }],
  ]);
  const page = (await api.http.get('/v1/contact-ingests?limit=2')).body;
  expect((await api.http.get(`/v1/contact-ingests?cursor=${page.nextCursor}`)).body.ingests).toEqual([ingests[2]]);
});

test('what cannot be read is refused before anything is kept, and says what is wrong', async () => {
  const refusals: [string, string, number, RegExp][] = [
    ['email,email\n', 'text/csv', 422, /"email" comes twice/],
    ['email\n', 'text/csv', 422, /has no contact/],
    ['email\na@example.com\n', 'text/plain', 415, /text\/csv/],
    ['[{]', 'application/json', 422, /is not JSON after contact 0/],
    ['{"email":"a@example.com"}', 'application/json', 422, /has no contact/],
  ];
  for (const [body, type, status, message] of refusals) {
    const answer = await send(body, type);
    expect([body, answer.status, answer.body.detail]).toEqual([body, status, expect.stringMatching(message)]);
  }
  expect((await send('email\na@example.com\n', 'text/csv', { query: '?country=Germany' })).status).toBe(422);
  const large = await send(`email\n${'a@example.com\n'.repeat(80_000)}`);
  expect([large.status, large.body.code]).toEqual([413, 'body_too_large']);
  const { rows } = await api.postgres.pool.query('select from contact_ingests');
  expect(rows).toHaveLength(0);
});

test('the same key sends an upload once', async () => {
  const headers = { 'idempotency-key': 'fair-2' };
  const [a, b] = await Promise.all([1, 2].map(() => send('email\na@example.com\n', 'text/csv', { headers })));
  expect([a!.status, b!.status, b!.body.id]).toEqual([202, 202, a!.body.id]);
  await ended(a!.body.id);
  expect((await send('email\nb@example.com\n', 'text/csv', { headers })).body.code).toBe('idempotency_key_reused');
  expect((await api.http.get('/v1/contacts')).body.contacts).toHaveLength(1);
});

test('a cancelled upload ends behind the batch under way, and what it has stored stays', async () => {
  // Another change of contacts is under way, so that the upload waits in its first batch, and the cancellation for it.
  const { pool } = api.postgres;
  const client = await pool.connect();
  const waiting = (statements: number) =>
    until(`${statements} statements wait`, async () => {
      const { rows } = await pool.query(
        `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      return rows.length >= statements;
    });
  const cancel = (id: string) => api.http.request(`/v1/contact-ingests/${id}/cancel`, { method: 'POST' });
  let id = '';
  let cancelled: ReturnType<typeof cancel> | undefined;
  try {
    await client.query('begin');
    await client.query(`select pg_advisory_xact_lock(hashtextextended('contacts/local', 0))`);
    const lines = Array.from({ length: 2_500 }, (_, n) => `p${n}@example.com`);
    id = (await send(`email\n${lines.join('\n')}\n`)).body.id;
    await waiting(1);
    expect((await api.http.request(`/v1/contact-ingests/${id}`, { method: 'DELETE' })).body.code).toBe(
      'contact_ingest_running',
    );
    cancelled = cancel(id);
    await waiting(2);
  } finally {
    await client.query('commit');
    client.release();
  }
  const end = { status: 'cancelled', counts: { added: 1_000, pending: 1_500 } };
  expect(await cancelled).toMatchObject({ status: 200, body: end });
  expect(await cancel(id)).toMatchObject({ status: 200, body: end });
  await until('its workflow has ended', async () => {
    const { status } = await api.client.workflow.getHandle(contactIngestWorkflowId(id)).describe();
    return status.name === 'COMPLETED';
  });
  expect((await api.http.get(`/v1/contact-ingests/${id}`)).body).toMatchObject(end);
  expect((await api.http.request(`/v1/contact-ingests/${id}`, { method: 'DELETE' })).status).toBe(204);
  expect((await api.http.get(`/v1/contact-ingests/${id}`)).status).toBe(404);
  await inCrm();
});

test('limits, lost answers and refused contacts: the CRM ends with each contact once', async () => {
  hubSpot.fail('limit', 'lost', 'whole');
  const before = hubSpot.tooEarly();
  const lines = Array.from({ length: 250 }, (_, n) => `p${n}${n % 50 === 7 ? refusedDomain : '@example.com'}`);
  await ingest(`email\n${lines.join('\n')}\n`);
  await inCrm();
  expect(hubSpot.contacts.size).toBe(245);
  expect(new Set([...hubSpot.contacts.values()].map(({ id }) => id)).size).toBe(245);
  expect(hubSpot.tooEarly()).toBe(before);
  expect(Math.max(...hubSpot.requests)).toBe(100);
  const { rows } = await api.postgres.pool.query(
    'select crm_error as error, count(*)::int as count from contacts where crm_id is null group by 1',
  );
  expect(rows).toEqual([{ error: 'HubSpot refused it: VALIDATION_ERROR.', count: 5 }]);
});

test('an undone merge is a contact of its own again, also in the CRM', async () => {
  const { id } = await ingest('name,email,phone\nAnn Lee,ann@example.com,030 901820\nAnn Lee,,030 901820\n');
  await inCrm();
  const { merges } = (await api.http.get(`/v1/contact-merges?ingestId=${id}`)).body;
  expect(merges).toHaveLength(0);
  const other = await ingest('name,email,phone\nAnn Lee,lee@example.com,030 901820\n');
  await inCrm();
  expect([...hubSpot.contacts.keys()]).toEqual(['ann@example.com']);
  const [merge] = (await api.http.get(`/v1/contact-merges?ingestId=${other.id}`)).body.merges;
  const undo = () => api.http.request(`/v1/contact-merges/${merge.id}/undo`, { method: 'POST' });
  const { body } = await undo();
  expect(body).toMatchObject({ contactId: merge.contactId, partedId: expect.any(String) });
  expect((await undo()).body).toEqual(body);
  await inCrm();
  expect([...hubSpot.contacts.keys()]).toEqual(['ann@example.com', 'lee@example.com']);
  expect((await api.http.get(`/v1/contacts/${body.partedId}`)).body).toMatchObject({ emails: ['lee@example.com'] });
  expect((await api.http.get(`/v1/contact-merges?contactId=${merge.contactId}`)).body.merges).toEqual([body]);
  expect((await api.http.request(`/v1/contacts/${body.partedId}`, { method: 'DELETE' })).status).toBe(204);
  expect((await api.http.get(`/v1/contacts/${body.partedId}`)).status).toBe(404);
});

test('the sweep goes on with an upload that Temporal has lost, ends one that was terminated, and wakes the CRM', async () => {
  await api.serve([]);
  const terminated = (await send('email\nt@example.com\n')).body.id;
  await api.client.workflow.getHandle(contactIngestWorkflowId(terminated)).terminate('by hand');
  const lost = '01a8c2d4-6000-7d88-bfc3-b4e1a3029c0a';
  await api.postgres.pool.query(
    `insert into contact_ingests (id, tenant, subject, source, format, status, lines, batches, created_at)
     values ($1, 'local', 'local', 'api', 'csv', 'running', 1, 1, now() - interval '1 hour')`,
    [lost],
  );
  await api.postgres.pool.query(
    `insert into contact_ingest_batches values ($1, 0, '[{"line":2,"fields":{"email":"l@example.com"}}]')`,
    [lost],
  );
  await api.postgres.pool.query(`update contact_ingests set created_at = now() - interval '1 hour'`);
  await api.serve([systemQueue]);
  await api.client.workflow.execute<typeof sweepTasksWorkflow>('sweepTasksWorkflow', {
    workflowId: 'sweep-by-hand',
    taskQueue: systemQueue,
  });
  expect(await ended(lost)).toMatchObject({ status: 'completed', counts: { added: 1 } });
  await inCrm();
  expect(await ended(terminated)).toMatchObject({ status: 'failed' });

  await until('no contact is on its way to the CRM', async () => {
    const { status } = await api.client.workflow.getHandle(contactSyncWorkflowId('local')).describe();
    return status.name === 'COMPLETED';
  });
  await api.postgres.pool.query(`update contacts set crm_due = true, updated_at = now() - interval '1 hour'`);
  await api.client.workflow.execute<typeof sweepTasksWorkflow>('sweepTasksWorkflow', {
    workflowId: 'sweep-by-hand-again',
    taskQueue: systemQueue,
  });
  await inCrm();
});
