import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { conversationWorkflowId } from '../../contract/ids.ts';
import { until } from '../support/until.ts';
import { createApiHarness, type ApiHarness } from './api-harness.ts';
import { outlineOf, blockedTurn, transcript, messageStates, openConversation } from './open-conversation.ts';
import { signedIn } from '../support/principals.ts';

let api: ApiHarness;
beforeAll(async () => {
  api = await createApiHarness(
    {},
    {
      identify: ({ 'x-who': who = 'ada' }) => signedIn(String(who), { roles: ['staff'] }),
    },
  );
});
afterAll(() => api?.close());

const yes = () => api.script(() => ({ text: ['Yes.'] }));
const nowhere = '019ab7a0-0000-7000-8000-000000000000';

describe('a conversation', () => {
  test('carries its context from task to task', async () => {
    const requests = api.script([{ text: ['Hello Ada.'] }, { text: ['Your name is Ada.'] }]);
    const conversation = await openConversation(api);
    const first = await conversation.say('I am Ada.');
    expect(first).toMatchObject({
      status: 202,
      body: { position: 1, outcome: 'started', runningTaskId: null, conversationId: conversation.id },
    });
    await conversation.quiet();
    await conversation.say('Who am I?');
    expect(transcript(await conversation.quiet())).toEqual([
      'I am Ada.',
      '> Hello Ada.',
      'Who am I?',
      '> Your name is Ada.',
    ]);
    expect(requests.map(outlineOf)).toEqual([['I am Ada.'], ['I am Ada.', ['> Hello Ada.'], 'Who am I?']]);
    const { body: task } = await api.http.get(`/v1/tasks/${first.body.taskId}`);
    expect(task).toMatchObject({
      status: 'completed',
      conversationId: conversation.id,
      result: { text: 'Hello Ada.' },
    });
    const { body: listed } = await api.http.get(`/v1/tasks?conversationId=${conversation.id}`);
    expect(listed.tasks).toHaveLength(2);
  });

  test('has no running workflow while it is idle; the next message starts one', async () => {
    yes();
    const conversation = await openConversation(api);
    const handle = api.client.workflow.getHandle(conversationWorkflowId(conversation.id));
    await expect(handle.describe()).rejects.toThrow();
    for (const text of ['one', 'two']) {
      await conversation.say(text);
      await conversation.quiet();
      await until('the workflow ends', async () => (await handle.describe()).status.name === 'COMPLETED');
    }
    expect(transcript(await conversation.listed())).toEqual(['one', '> Yes.', 'two', '> Yes.']);
  });

  test('is created once for an Idempotency-Key', async () => {
    const create = (body: object) => api.http.post('/v1/conversations', body, { 'idempotency-key': 'c1' });
    const created = await Promise.all([1, 2, 3].map(() => create({ title: 'A', metadata: { b: '1', a: '2' } })));
    expect(new Set(created.map(({ body }) => body.id)).size).toBe(1);
    expect(created[0]).toMatchObject({
      status: 201,
      body: { title: 'A', agent: 'knowledge', onBusy: 'enqueue', messages: 0 },
    });
    expect(await create({ title: 'B' })).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } });
    expect(await api.http.post('/v1/conversations', { agent: 'nobody' })).toMatchObject({
      status: 422,
      body: { code: 'unknown_agent' },
    });
  });

  test('takes its title from its first message, until it is changed', async () => {
    yes();
    const conversation = await openConversation(api);
    await conversation.say(`  How many   days\ndo I have ${'to file this '.repeat(10)}?`);
    const { title } = await conversation.row();
    expect(title).toMatch(/^How many days do I have to file/);
    expect(title.length).toBeLessThanOrEqual(80);
    await conversation.say('Something else');
    expect((await conversation.row()).title).toBe(title);
    const changed = await api.http.json('PATCH', conversation.path, { title: 'Expenses' });
    expect(changed).toMatchObject({ status: 200, body: { title: 'Expenses', archived: false } });
    await conversation.quiet();
  });

  test('gets another agent, which there must be', async () => {
    const conversation = await openConversation(api);
    const changed = await api.http.json('PATCH', conversation.path, { agent: 'assistant' });
    expect(changed).toMatchObject({ status: 200, body: { agent: 'assistant' } });
    const refused = await api.http.json('PATCH', conversation.path, { agent: 'phantom' });
    expect(refused.body).toMatchObject({ code: 'unknown_agent', detail: expect.stringContaining('assistant') });
    expect(await conversation.row()).toMatchObject({ agent: 'assistant' });
  });

  test('is listed, newest first, page by page; an archived one is listed separately and takes no messages', async () => {
    const conversations = [
      await openConversation(api, { title: 'a' }),
      await openConversation(api, { title: 'b' }),
      await openConversation(api, { title: 'c' }),
    ];
    const [first] = conversations;
    if (!first) throw new Error('no conversation');
    const page = async (query: string) => (await api.http.get(`/v1/conversations?${query}`)).body;
    const newest = await page('limit=2');
    expect(newest.conversations.map(({ title }: { title: string }) => title)).toEqual(['c', 'b']);
    expect((await page(`limit=1&cursor=${newest.nextCursor}`)).conversations[0].title).toBe('a');
    expect((await api.http.get('/v1/conversations?cursor=x')).status).toBe(422);

    await api.http.json('PATCH', first.path, { archived: true });
    expect(await first.say('hello')).toMatchObject({ status: 409, body: { code: 'conversation_archived' } });
    expect((await page('archived=true')).conversations.map(({ id }: { id: string }) => id)).toEqual([first.id]);
    expect(JSON.stringify(await page('limit=200'))).not.toContain(first.id);
    await api.http.json('PATCH', first.path, { archived: false });
    yes();
    expect((await first.say('hello')).status).toBe(202);
    await first.quiet();
  });

  test('is 404 for every other user', async () => {
    yes();
    const conversation = await openConversation(api);
    await conversation.say('mine');
    await conversation.quiet();
    const as = { 'x-who': 'eve' };
    const body = { text: 'hello' };
    for (const answer of [
      await api.http.get(conversation.path, as),
      await api.http.get(`${conversation.path}/messages`, as),
      await api.http.get(`${conversation.path}/events`, as),
      await api.http.json('PATCH', conversation.path, { title: 'x' }, as),
      await api.http.post(`${conversation.path}/messages`, body, as),
      await api.http.post(`${conversation.path}/stop`, {}, as),
      await api.http.request(conversation.path, { method: 'DELETE', headers: as }),
      await api.http.get(`/v1/conversations/${nowhere}`),
      await api.http.post(`/v1/conversations/${nowhere}/messages`, body),
    ])
      expect(answer).toMatchObject({ status: 404, body: { code: 'not_found' } });
    expect((await api.http.get('/v1/conversations', as)).body.conversations).toEqual([]);
  });

  test('never shows its callback’s secret, and no history contains the callback or the messages', async () => {
    yes();
    const secret = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;
    const conversation = await openConversation(api, { callback: { url: 'https://example.com/told', secret } });
    const { body } = await conversation.say('SecretWords');
    await conversation.quiet();
    expect(
      JSON.stringify([await conversation.row(), await conversation.listed(), await conversation.events()]),
    ).not.toContain(secret);
    for (const workflowId of [conversationWorkflowId(conversation.id), `task/${body.taskId}`]) {
      const history = JSON.stringify(await api.client.workflow.getHandle(workflowId).fetchHistory());
      for (const word of [secret, 'SecretWords', 'example.com'])
        expect(history).not.toContain(Buffer.from(word).toString('base64').slice(0, 8));
    }
  });

  test('passes its budget, priority and roles to its tasks; the lower limit of each counts', async () => {
    yes();
    const conversation = await openConversation(api, { budget: { maxModelCalls: 5, maxTokens: 9_000 }, priority: 2 });
    const { body } = await conversation.say('one', { budget: { maxModelCalls: 3 }, metadata: { a: 'b' } });
    await conversation.quiet();
    const { body: task } = await api.http.get(`/v1/tasks/${body.taskId}`);
    expect(task).toMatchObject({ budget: { maxModelCalls: 3, maxTokens: 9_000 }, metadata: { a: 'b' } });
    const { raw } = await api.client.workflow.getHandle(`task/${body.taskId}`).describe();
    expect(raw.workflowExecutionInfo?.priority).toMatchObject({ priorityKey: 2, fairnessKey: 'local' });
    const { rows } = await api.postgres.pool.query('select roles from tasks where id = $1', [body.taskId]);
    expect(rows).toEqual([{ roles: ['staff'] }]);
  });
});

describe('messages', () => {
  test('are read page by page, each answer after its question', async () => {
    api.script((_, call) => ({ text: [`Answer ${call}.`] }));
    const conversation = await openConversation(api);
    for (const text of ['one', 'two', 'three']) {
      await conversation.say(text);
      await conversation.quiet();
    }
    const page = async (query: string) => (await api.http.get(`${conversation.path}/messages?${query}`)).body;
    const newest = await page('limit=2');
    expect(transcript(newest.messages)).toEqual(['two', '> Answer 2.', 'three', '> Answer 3.']);
    expect(newest.hasMore).toBe(true);
    expect(await page('limit=2&before=2')).toMatchObject({ messages: [{ text: 'one' }, {}], hasMore: false });
    expect(await page('limit=1&after=1')).toMatchObject({ messages: [{ text: 'two' }, {}], hasMore: true });
    // The cursor leads backwards from the newest page, and forwards where the first page did.
    const before = await page(`limit=2&cursor=${newest.nextCursor}`);
    expect(before).toMatchObject({ messages: [{ text: 'one' }, {}], nextCursor: null });
    const forward = await page('limit=1&after=0');
    expect(await page(`limit=1&cursor=${forward.nextCursor}`)).toMatchObject({ messages: [{ text: 'two' }, {}] });
    expect(newest.messages[3]).toMatchObject({
      role: 'assistant',
      position: 3,
      outcome: null,
      taskStatus: 'completed',
    });
  });

  test('with the same id are stored once, sent one after the other or at the same time', async () => {
    yes();
    const conversation = await openConversation(api);
    const twice = await Promise.all([1, 2, 3, 4].map(() => conversation.say('hello', { id: 'm1' })));
    expect(new Set(twice.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    await conversation.quiet();
    expect((await conversation.say('hello', { id: 'm1' })).body).toEqual(twice[0]?.body);
    expect(await conversation.say('other', { id: 'm1' })).toMatchObject({
      status: 422,
      body: { code: 'message_id_reused' },
    });
    expect(transcript(await conversation.quiet())).toEqual(['hello', '> Yes.']);
  });

  test('that are invalid are refused', async () => {
    const conversation = await openConversation(api);
    for (const body of [
      {},
      { text: ' ' },
      { text: 'x', id: 'with space' },
      { text: 'x', onBusy: 'never' },
      { text: 'x', to: 'y' },
    ])
      expect((await api.http.post(`${conversation.path}/messages`, body)).status).toBe(422);
    expect(await conversation.row()).toMatchObject({ messages: 0, queued: 0 });
  });

  test('are refused when too many are queued, unless they replace the queued ones', async () => {
    const first = blockedTurn('x');
    api.script((_, call) => (call === 1 ? first.turn : { text: ['Yes.'] }));
    const conversation = await openConversation(api);
    await conversation.say('one');
    await conversation.running();
    await api.postgres.pool.query(
      `insert into conversation_messages (conversation_id, id, position, content_hash, request, request_hash, task_id, state, outcome)
       select conversation_id, 'w' || n, n + 1, content_hash, request, request_hash, gen_random_uuid(), 'queued', 'queued'
       from conversation_messages, generate_series(1, 1000) n where conversation_id = $1`,
      [conversation.id],
    );
    await api.postgres.pool.query('update conversations set last_position = 1001 where id = $1', [conversation.id]);
    expect(await conversation.say('two')).toMatchObject({ status: 409, body: { code: 'conversation_full' } });
    expect((await conversation.say('three', { onBusy: 'rollback' })).body).toMatchObject({
      outcome: 'rolled_back',
      position: 1_002,
    });
    await conversation.quiet();
  });
});

describe('stop', () => {
  const stop = (path: string, body?: object) => api.http.post(`${path}/stop`, body ?? {});

  test('cancels the running task and drops the queued messages', async () => {
    const first = blockedTurn('x');
    const requests = api.script((_, call) => (call === 1 ? first.turn : { text: ['Yes.'] }));
    const conversation = await openConversation(api);
    await conversation.say('one');
    const stoppedTaskId = await conversation.running();
    await conversation.say('two', { id: 'm2' });
    await conversation.say('three', { id: 'm3' });
    // As if a stop before was stored and its answer was lost: the plain one takes nothing of it back.
    const note = { reason: 'Enough.', undo: true, by: 'ada' };
    await api.conversationRows.recordStopRequest({ tenant: 'local', subject: 'ada' }, conversation.id, note);
    const stopped = await stop(conversation.path);
    expect(stopped).toMatchObject({ status: 200, body: { stoppedTaskId, dropped: ['m2', 'm3'] } });
    expect(messageStates(await conversation.quiet())).toEqual([
      'one: started, done',
      'two: queued, dropped',
      'three: queued, dropped',
    ]);
    const { rows } = await api.postgres.pool.query('select status, cancel_request from tasks where id = $1', [
      stoppedTaskId,
    ]);
    expect(rows).toEqual([{ status: 'cancelled', cancel_request: note }]);
    // The update is in the history before its outcome is stored: a worker that dies in between does not lose it.
    const { events } = await api.client.workflow.getHandle(conversationWorkflowId(conversation.id)).fetchHistory();
    const names = events?.map((event) => event.activityTaskScheduledEventAttributes?.activityType?.name);
    expect(names).toContain('stopConversation');
    expect(names?.filter((name) => name === 'decideMessages')).not.toEqual([]);
    await conversation.say('four');
    await conversation.quiet();
    expect(outlineOf(requests[1] ?? Object())).toEqual(['one', 'four']);
  });

  test('may keep the queued messages, and is safe when nothing runs', async () => {
    const first = blockedTurn('x');
    api.script((_, call) => (call === 1 ? first.turn : { text: ['Yes.'] }));
    const conversation = await openConversation(api);
    expect((await stop(conversation.path)).body).toEqual({ stoppedTaskId: null, dropped: [] });
    await conversation.say('one');
    await conversation.running();
    await conversation.say('two');
    expect((await stop(conversation.path, { queued: 'keep' })).body.dropped).toEqual([]);
    expect(transcript(await conversation.quiet())).toEqual(['one', 'two', '> Yes.']);
    expect((await stop(`/v1/conversations/${nowhere}`)).status).toBe(404);
  });
});
