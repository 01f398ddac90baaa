import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mayReadShared } from '../../api/read-shared.ts';
import { alfred } from '../cli/run-alfred.ts';
import { putDocument } from '../support/documents/put-document.ts';
import { person, signedIn } from '../support/principals.ts';
import { until } from '../support/until.ts';
import { createApiHarness, type ApiHarness } from './api-harness.ts';
import { blockedTurn } from './open-conversation.ts';

let api: ApiHarness;
beforeAll(async () => {
  api = await createApiHarness(
    {},
    {
      identify: ({ 'x-subject': subject = 'local', 'x-tenant': tenant = 'local' }) =>
        signedIn(String(subject), { tenant: String(tenant) }),
    },
  );
  api.useBuiltInTool('search_documents');
});
afterAll(() => api?.close());

const as = (subject: string, tenant = 'local') => ({ 'x-subject': subject, 'x-tenant': tenant });
const unknownId = '0190a1b2-0000-7000-8000-000000000000';

const send = (method: string, path: string, headers: Record<string, string>, body?: object) =>
  api.http.request(path, {
    method,
    headers: { ...headers, ...(body ? { 'content-type': 'application/json' } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
const share = (path: string, ...readers: string[]) => send('PUT', `${path}/readers`, as('local'), { readers });

async function join(subject: string, group: string, tenant = 'local') {
  await api.postgres.db.insertInto('group_members').values({ tenant, group_name: group, subject }).execute();
}
const leave = (subject: string, group: string) =>
  api.postgres.db
    .deleteFrom('group_members')
    .where('tenant', '=', 'local')
    .where('group_name', '=', group)
    .where('subject', '=', subject)
    .execute();

async function answered(text = 'Sixteen weeks.') {
  api.script([{ text: [text] }]);
  const { id } = await api.start();
  await api.followToEnd(id);
  return { id, path: `/v1/tasks/${id}` };
}
const statusFor = async (path: string, headers: Record<string, string>) => (await api.http.get(path, headers)).status;

/** Follows a stream until it has an event. @returns its whole text, when it has ended */
async function follow(path: string, headers: Record<string, string>): Promise<{ ended: Promise<string> }> {
  const response = await fetch(`${api.url}${path}/events`, { headers });
  let text = '';
  const read = async () => {
    for await (const piece of response.body ?? []) text += Buffer.from(piece).toString();
    return text;
  };
  const ended = read();
  await until('the stream has an event', async () => text.includes('\ndata: '));
  return { ended };
}

describe('a shared task', () => {
  test('is shown to a reader with its answer and events, and before and after that it does not exist', async () => {
    const { id, path } = await answered();
    const reads = [path, `${path}/events/page`, `${path}/citations`];
    const statuses = () => Promise.all(reads.map((read) => statusFor(read, as('ann'))));
    const listed = async (query = '?of=shared') =>
      (await api.http.get(`/v1/tasks${query}`, as('ann'))).body.tasks.map((task: { id: string }) => task.id);
    expect(await statuses()).toEqual([404, 404, 404]);

    expect((await share(path, 'subject:ann')).body).toEqual({ readers: ['subject:ann'] });
    expect(await statuses()).toEqual([200, 200, 200]);
    const { body, headers } = await api.http.get(path, { ...as('ann'), prefer: 'wait=1' });
    expect([body.result.text, headers.get('preference-applied')]).toEqual(['Sixteen weeks.', 'wait=1']);
    expect(body.owner).toBe('local');
    expect(await (await fetch(`${api.url}${path}/events`, { headers: as('ann') })).text()).toContain('task.completed');
    expect([await listed(), await listed('')]).toEqual([[id], []]);

    await share(path);
    expect(await statuses()).toEqual([404, 404, 404]);
    expect(await listed()).toEqual([]);
  });

  test('is not open to the same name in another tenant, and everyone is everyone of its tenant', async () => {
    const { path } = await answered();
    await join('ben', 'staff');
    await join('ben', 'staff', 'other');
    await share(path, 'group:staff', 'subject:ann', 'everyone');
    for (const subject of ['ann', 'ben', 'cay', 'local']) {
      expect(await statusFor(path, as(subject))).toBe(200);
      expect(await statusFor(path, as(subject, 'other'))).toBe(404);
      expect((await api.http.get('/v1/tasks?of=shared', as(subject, 'other'))).body.tasks).toEqual([]);
    }
    await share(path);
  });

  test('is changed by its owner only: what a reader sends is answered as for a task that does not exist', async () => {
    const { path } = await answered();
    await share(path, 'everyone');
    for (const [method, end, body] of [
      ['POST', '/cancel', { undo: true }],
      ['POST', '/undo'],
      ['POST', '/budget', { maxCostUsd: 2 }],
      ['DELETE', ''],
      ['GET', '/callback'],
      ['POST', '/callback'],
      ['GET', '/readers'],
      ['PUT', '/readers', { readers: ['subject:eve'] }],
    ] as const) {
      const refused = await send(method, `${path}${end}`, as('eve'), body);
      const unknown = await send(method, `/v1/tasks/${unknownId}${end}`, as('eve'), body);
      const shown = ({ status, body }: typeof refused) =>
        JSON.stringify([status, { ...body, requestId: '', instance: '' }]).replaceAll(/[0-9a-f-]{36}/g, 'id');
      expect([refused.status, shown(refused)]).toEqual([404, shown(unknown)]);
    }
    expect((await api.http.get(path, as('local'))).body.result).not.toBeNull();
    expect((await api.http.get(`${path}/readers`, as('local'))).body).toEqual({ readers: ['everyone'] });
    await share(path);
  });

  test('shows no passage of a document that the reader may not read', async () => {
    const { db } = api.postgres;
    const open = await putDocument(db, 'open.txt', 'Parental leave lasts sixteen weeks.');
    const secret = await putDocument(db, 'secret.txt', 'Parental leave of directors lasts thirty weeks.');
    await db.updateTable('documents').set({ readers: [] }).where('id', '=', secret.documentId).execute();
    api.script([
      { calls: [{ tool: 'search_documents', arguments: { query: 'parental leave weeks' } }] },
      { text: ['It lasts sixteen weeks [1], and thirty [2].'] },
    ]);
    const conversation = (await api.http.post('/v1/conversations', {})).body.id as string;
    const sent = await api.http.post(`/v1/conversations/${conversation}/messages`, { text: 'How long?' });
    const path = `/v1/tasks/${sent.body.taskId}`;
    await api.taskReaches(sent.body.taskId, 'completed');
    await share(`/v1/conversations/${conversation}`, 'subject:ann');

    const cited = async (who: string) => {
      const headers = as(who);
      const lists = [
        (await api.http.get(path, headers)).body.result.citations,
        (await api.http.get(`${path}/citations`, headers)).body.citations,
        (await api.http.get(`/v1/conversations/${conversation}/messages`, headers)).body.messages.at(-1).citations,
        who === 'local' ? [] : (await api.http.get(`/v1/tasks?of=shared`, headers)).body.tasks[0].result.citations,
      ];
      return lists.map((list) => list.map(({ documentId }: { documentId: string }) => documentId).toSorted());
    };
    const both = [open.documentId, secret.documentId].toSorted();
    expect(await cited('local')).toEqual([both, both, both, []]);
    const shownIn = async (who: string) => {
      const texts = await Promise.all([
        api.http.get(`${path}/events/page`, as(who)).then(({ body }) => JSON.stringify(body)),
        fetch(`${api.url}${path}/events`, { headers: as(who) }).then((answer) => answer.text()),
        api.http.get(`/v1/conversations/${conversation}/events/page`, as(who)).then(({ body }) => JSON.stringify(body)),
      ]);
      return texts.map((text) => [open, secret].filter(({ documentId }) => text.includes(documentId)).length);
    };
    expect([await shownIn('local'), await shownIn('ann')]).toEqual([
      [2, 2, 2],
      [1, 1, 1],
    ]);
    const only = [open.documentId];
    expect(await cited('ann')).toEqual([only, only, only, only]);
    expect(await statusFor(`/v1/documents/${secret.documentId}/text`, as('ann'))).toBe(404);
  });

  test.each(['Vertrieb Süd', '営業部', 'a:b', '🦊 staff', 'é', 'x"}\'); drop table tasks; --', '%', 'everyone'])(
    'is shared with the group %s, and with no group of a similar name',
    async (group) => {
      const { path } = await answered();
      await join(`of ${group}`, group);
      for (const [index, other] of [group.normalize('NFD') + '\u200b', `${group} `, 'E\u0301', '_'].entries())
        await join(`near ${group} ${index}`, other);
      expect((await share(path, `group:${group}`)).status).toBe(200);
      const statusOf = async (subject: string) =>
        (await api.app.inject({ url: path, headers: { host: 'localhost', ...as(subject) } })).statusCode;
      expect(await statusOf(`of ${group}`)).toBe(200);
      for (const index of [0, 1, 2, 3]) expect(await statusOf(`near ${group} ${index}`)).toBe(404);
    },
  );

  test.each(['group:', 'staff', 'role:admin', 'group:\u0000', 'subject: ', '*'])('%j is no reader', async (reader) => {
    const { path } = await answered();
    expect((await share(path, reader)).status).toBe(422);
    expect((await share(path, ...Array.from({ length: 101 }, (_, n) => `subject:${n}`))).status).toBe(422);
  });

  test('has the readers of one list when two lists come at once, and none when it is deleted', async () => {
    const { id, path } = await answered();
    const lists = Array.from({ length: 6 }, (_, n) => [`group:g${n}`, `subject:s${n}`]);
    const answers = await Promise.all(lists.map((readers) => share(path, ...readers)));
    expect(answers.map(({ status }) => status)).toEqual(lists.map(() => 200));
    expect(lists).toContainEqual((await api.http.get(`${path}/readers`, as('local'))).body.readers);
    expect((await send('DELETE', path, as('local'))).status).toBe(204);
    const left = api.postgres.db.selectFrom('task_readers').selectAll().where('task_id', '=', id);
    expect(await left.execute()).toEqual([]);
    expect((await share(path, 'everyone')).status).toBe(404);
  });
});

describe('a shared conversation', () => {
  test('includes its tasks, also later ones and those that wait, and a task does not open its conversation', async () => {
    const { id } = (await api.http.post('/v1/conversations', {})).body;
    const path = `/v1/conversations/${id}`;
    const say = async (text: string) => (await api.http.post(`${path}/messages`, { text })).body as { taskId: string };
    const first = await (api.script([{ text: ['One.'] }]), say('First?'));
    await api.taskReaches(first.taskId, 'completed');
    await share(`/v1/tasks/${first.taskId}`, 'subject:dan');
    const reads = [path, `${path}/messages`, `${path}/events/page`];
    const statuses = (who: string) => Promise.all(reads.map((read) => statusFor(read, as(who))));
    expect([await statusFor(`/v1/tasks/${first.taskId}`, as('dan')), ...(await statuses('dan'))]).toEqual([
      200, 404, 404, 404,
    ]);

    await join('eve', 'readers');
    await share(path, 'group:readers');
    const { turn, release } = blockedTurn('Two.');
    api.script([turn, { text: ['Three.'] }]);
    const second = await say('Second?');
    await api.taskReaches(second.taskId, 'running');
    const third = await say('Third?');
    expect(await statuses('eve')).toEqual([200, 200, 200]);
    for (const { taskId } of [first, second, third])
      expect(await statusFor(`/v1/tasks/${taskId}`, as('eve'))).toBe(200);
    release();
    await api.taskReaches(third.taskId, 'completed');
    const tasks = (await api.http.get('/v1/tasks?of=shared', as('eve'))).body.tasks as { id: string }[];
    expect(tasks.map((task) => task.id)).toEqual(expect.arrayContaining([first.taskId, second.taskId, third.taskId]));
    const { conversations } = (await api.http.get('/v1/conversations?of=shared', as('eve'))).body;
    expect(conversations.map((one: { id: string }) => one.id)).toEqual([id]);

    for (const [method, end, body] of [
      ['POST', '/messages', { text: 'Mine?' }],
      ['PATCH', '', { title: 'Mine' }],
      ['POST', '/stop', {}],
      ['DELETE', ''],
      ['GET', '/readers'],
      ['PUT', '/readers', { readers: [] }],
    ] as const)
      expect((await send(method, `${path}${end}`, as('eve'), body)).status).toBe(404);

    await leave('eve', 'readers');
    expect(await statuses('eve')).toEqual([404, 404, 404]);
    await join('eve', 'readers');
    expect((await send('DELETE', path, as('local'))).status).toBe(204);
    expect(await statuses('eve')).toEqual([404, 404, 404]);
    await until('the shares are gone', async () => {
      const rows = await api.postgres.db.selectFrom('conversation_readers').selectAll().execute();
      return rows.every((row) => row.conversation_id !== id);
    });
  });
});

test('an open stream ends when the share is taken back, and when its reader leaves the group', async () => {
  const { turn, release } = blockedTurn('Later.');
  api.script([turn]);
  const { id } = await api.start();
  await api.taskReaches(id, 'running', as('local'));
  const path = `/v1/tasks/${id}`;
  await join('fay', 'streams');
  await share(path, 'group:streams', 'subject:gus');
  const [ofMember, ofNamed, ofOwner] = await Promise.all([
    follow(path, as('fay')),
    follow(path, as('gus')),
    follow(path, as('local')),
  ]);
  await leave('fay', 'streams');
  expect(await ofMember.ended).toMatch(/: not_found\n\n$/);
  await share(path, 'group:streams');
  expect(await ofNamed.ended).toMatch(/: not_found\n\n$/);
  release();
  expect(await ofOwner.ended).toContain('task.completed');
});

test('the command lists what is shared with its owner and its question', async () => {
  api.script([{ text: ['Ann.'] }]);
  const question = { agent: 'knowledge', input: { text: 'Who approves travel?' } };
  const { id } = (await send('POST', '/v1/tasks', as('ann'), question)).body;
  await send('PUT', `/v1/tasks/${id}/readers`, as('ann'), { readers: ['subject:local'] });
  const { stdout } = await alfred(['tasks', 'list', '--of', 'shared'], { ALFRED_URL: api.url, NO_COLOR: '1' });
  expect(stdout).toMatch(/ OWNER +ASKED$/m);
  expect(stdout).toMatch(new RegExp(`^${id} .* ann +Who approves travel\\?$`, 'm'));
});

test('the role agent reads nothing that others share', () => {
  for (const resource of ['task', 'conversation'] as const) {
    expect(mayReadShared(person('bot', { roles: ['agent'] }), resource)).toBe(false);
    expect(mayReadShared(person('bot', { roles: ['clerk'] }), resource)).toBe(true);
  }
});
