import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { AlfredError } from '../../contract/errors.ts';
import { auditedOperations } from '../../contract/rules/audit-actions.ts';
import { signedIn } from '../support/principals.ts';
import { until } from '../support/until.ts';
import { createApiHarness, type ApiHarness } from './api-harness.ts';
import type { JsonObject } from './checked-client.ts';

let api: ApiHarness;
/** `x-as` names a person, `x-role` the role, `x-tenant` the tenant; `x-as: stranger` does not sign in. */
beforeAll(async () => {
  api = await createApiHarness(
    { ALFRED_COUNTRY_HEADER: 'X-Country' },
    {
      identify: ({ 'x-as': subject = 'ada', 'x-role': role = 'admin', 'x-tenant': tenant = 'local' }) => {
        if (subject === 'stranger') throw new AlfredError('token_expired');
        return signedIn(String(subject), { roles: [String(role)], tenant: String(tenant) });
      },
    },
  );
});
afterAll(() => api?.close());

const entries = async (query: string, headers: Record<string, string> = {}) =>
  (await api.http.get(`/v1/audit?${query}`, headers)).body.entries as JsonObject[];
const start = async (headers: Record<string, string> = {}) => {
  api.script([{ text: ['Within 30 days.'] }]);
  return (await api.http.post('/v1/tasks', { agent: 'knowledge', input: { text: 'How long?' } }, headers)).body;
};

test('each operation that changes something has its action', () => {
  const missing = Object.values<JsonObject>(api.http.document['paths']).flatMap((item) =>
    Object.entries<JsonObject>(item).flatMap(([method, { operationId }]) =>
      method === 'get' || operationId === 'searchDocuments' || operationId in auditedOperations ? [] : [operationId],
    ),
  );
  // Add a line for it to `contract/rules/audit-actions.ts`.
  expect(missing).toEqual([]);
});

test('an answer to a change leaves when its entry is stored, and the entry has no content', async () => {
  const { id } = await start({ 'x-request-id': 'r-1', 'user-agent': 'curl/8.5', 'x-country': 'is' });
  const [entry] = await entries(`action=task.start&subject=ada&limit=1`);
  expect(entry).toEqual({
    id: expect.stringMatching(/^[0-9a-f]{64}$/),
    at: expect.any(String),
    subject: 'ada',
    kind: 'person',
    via: 'oidc',
    action: 'task.start',
    resource: { type: 'task', id },
    outcome: 'ok',
    code: null,
    count: 1,
    requestId: 'r-1',
    address: '127.0.0.1',
    country: 'IS',
    client: 'curl',
  });
});

test('the log is for the role admin, and has nothing of another tenant', async () => {
  await start({ 'x-as': 'eve', 'x-tenant': 'other' });
  const refused = await api.http.get('/v1/audit', { 'x-role': 'viewer' });
  expect([refused.status, refused.body.code]).toEqual([403, 'role_missing']);
  const other = { 'x-as': 'eve', 'x-tenant': 'other' };
  const theirs = await until('the sign-in of eve is there', () => entries('limit=50', other), {
    accept: (found) => found.some(({ action }) => action === 'sign_in'),
  });
  expect(new Set(theirs.map(({ subject }) => subject))).toEqual(new Set(['eve']));
  // A cursor of another tenant leads nowhere.
  const cursor = `${new Date(theirs[0]?.at).getTime()}.${theirs[0]?.id}`;
  const { body } = await api.http.get(`/v1/audit?subject=eve&cursor=${cursor}`);
  expect(body.entries).toEqual([]);
});

test('a list of what others share has their answers: each task of the page has been read', async () => {
  const ids = [(await start({ 'x-as': 'owen' })).id, (await start({ 'x-as': 'owen' })).id];
  for (const id of ids) {
    const headers = { 'x-as': 'owen', 'content-type': 'application/json' };
    const body = JSON.stringify({ readers: ['subject:rita'] });
    await api.http.request(`/v1/tasks/${id}/readers`, { method: 'PUT', headers, body });
  }
  const reads = () => entries('subject=rita&action=other.read');
  expect((await api.http.get('/v1/tasks?of=shared', { 'x-as': 'rita' })).body.tasks).toHaveLength(2);
  const found = await until('both are there', reads, { accept: ({ length }) => length === 2 });
  expect(found.map(({ resource }) => resource.id).toSorted()).toEqual(ids.toSorted());
});

test('refusals and failed sign-ins are counted, and a flood of them is a few entries', async () => {
  const stranger = { 'x-as': 'stranger' };
  await Promise.all(Array.from({ length: 200 }, () => api.http.get('/v1/tasks', stranger)));
  await Promise.all(
    Array.from({ length: 50 }, (_, n) =>
      api.http.get(`/v1/tasks/01a8c2d0-5b1e-7c40-9d3a-${String(n).padStart(12, '0')}`, { 'x-as': 'max' }),
    ),
  );
  const [failed, refused] = await until(
    'both are there',
    () => Promise.all([entries('action=sign_in&outcome=refused'), entries('subject=max&outcome=refused')]),
    { accept: (found) => found.every(({ length }) => length > 0) },
  );
  expect(failed).toMatchObject([{ subject: '', code: 'token_expired', address: '127.0.0.1', resource: null }]);
  expect(refused).toMatchObject([{ action: 'getTask', code: 'not_found', kind: 'person', count: 1 }]);
});

test('pages follow each other without a gap while entries are added', async () => {
  for (let n = 0; n < 3; n++) await start({ 'x-as': 'pia' });
  const seen: string[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const query: string = `subject=pia&action=task.start&limit=1${cursor === '' ? '' : `&cursor=${cursor}`}`;
    const { body } = await api.http.get(`/v1/audit?${query}`);
    seen.push(...body.entries.map(({ id }: JsonObject) => id));
    cursor = body.nextCursor as string | null;
    if (seen.length === 1) await start({ 'x-as': 'pia' });
  }
  expect([seen.length, new Set(seen).size]).toEqual([3, 3]);
  expect((await api.http.get('/v1/audit?from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z')).status).toBe(422);
});

test('a request whose entry cannot be stored is answered with 503, and the entry comes when it can', async () => {
  await api.postgres.pool.query('alter table audit_entries rename to audit_entries_away');
  try {
    const { body: failed } = await api.http.post('/v1/api-keys', { name: 'lost' }, { 'x-as': 'kim' });
    expect(failed).toMatchObject({ status: expect.any(Number), code: expect.any(String) });
    expect(JSON.stringify(failed)).not.toContain('alf_');
    // What comes now is refused before it is done.
    const refused = await api.http.post('/v1/api-keys', { name: 'refused' }, { 'x-as': 'kim' });
    expect([refused.status, refused.body.code]).toEqual([503, 'database_unavailable']);
    const { rows } = await api.postgres.pool.query('select name from api_keys');
    expect(rows).not.toContainEqual({ name: 'refused' });
  } finally {
    await api.postgres.pool.query('alter table audit_entries_away rename to audit_entries');
  }
  await until('the entry is there', () => entries('subject=kim&action=key.create&outcome=ok'), {
    accept: ({ length }) => length === 1,
  });
});

test('a scan finds wrong credentials, a new origin and a canary once, and tells the log and the metric', async () => {
  const origin = { tenant: 'local', subject: 'key:1', kind: 'service', via: 'api_key', action: 'sign_in' } as const;
  await api.audit.record({ ...origin, outcome: 'ok', address: '198.51.100.7', client: 'node' });
  // As if that was an hour ago.
  await api.postgres.pool.query(
    `alter table audit_entries disable trigger user;
     update audit_entries set at = at - interval '1 hour' where subject = 'key:1';
     alter table audit_entries enable always trigger audit_entries_stay`,
  );
  await api.audit.record({ ...origin, outcome: 'ok', address: '203.0.113.9', client: 'curl' });
  await api.audit.record({
    tenant: 'local',
    subject: '',
    action: 'sign_in',
    outcome: 'refused',
    code: 'key_invalid',
    count: 40,
    address: '203.0.113.9',
  });
  const { rows } = await api.postgres.pool.query<{ id: string }>(
    `insert into documents (id, tenant, subject, name, title, media_type, content_hash, size_bytes, text, characters,
       chunk_count, tags)
     values (gen_random_uuid(), 'local', 'ada', 'salaries', 'Salaries', 'text/plain', 'x', 1, 'x', 1, 0, '{canary}')
     returning id`,
  );
  expect((await api.http.request(`/v1/documents/${rows[0]?.id}/text`)).status).toBe(200);
  await until('the read is there', () => entries('action=document.read'), { accept: ({ length }) => length > 0 });
  await api.intrusions.scan();
  await api.intrusions.scan();
  const signals = await entries('outcome=signal');
  expect(signals.map(({ code }) => code).toSorted()).toEqual(['canary_read', 'failed_sign_ins', 'new_origin']);
  expect(signals.find(({ code }) => code === 'new_origin')).toMatchObject({
    subject: 'key:1',
    address: '203.0.113.0/24',
  });
  expect(signals.find(({ code }) => code === 'canary_read')).toMatchObject({
    subject: 'ada',
    resource: { type: 'document', id: rows[0]?.id },
  });
  expect(await api.metrics.registry.metrics()).toMatch(/intrusion_signals_total\{rule="canary_read"\} 1/);
});
