import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sweepRetention } from '../../activities/sweep/sweep-retention.ts';
import type { Retention } from '../../contract/ports/index.ts';
import { until } from '../support/until.ts';
import { createApiHarness, type ApiHarness } from './api-harness.ts';
import { eventsIn } from './checked-client.ts';
import { outlineOf, blockedTurn, transcript, openConversation, type TestConversation } from './open-conversation.ts';

let api: ApiHarness;
beforeAll(async () => {
  api = await createApiHarness();
});
afterAll(() => api?.close());

const callback = { url: 'https://hooks.example.com/x', secret: `whsec_${Buffer.alloc(32, 7).toString('base64')}` };
const remove = (path: string) => api.http.request(path, { method: 'DELETE' });
const query = async (statement: string, values: unknown[] = []) =>
  (await api.postgres.pool.query(statement, values)).rows as Record<string, unknown>[];
const erased = ({ id }: TestConversation) =>
  until(
    'the conversation is erased',
    async () => (await query('select from conversations where id = $1', [id])).length === 0,
  );
/** All stored content, as text: messages, results, events, metadata. */
const stored = async () =>
  JSON.stringify([
    await query('select body from messages'),
    await query(`select convert_from(bytes, 'UTF8') as text from contents`),
    await query('select data from task_events'),
    await query('select data from conversation_events'),
    await query('select metadata, error_message, cancel_request from tasks'),
    await query('select title, metadata, defaults from conversations'),
  ]);

test('a deleted conversation is 404 at once, and so are its tasks', async () => {
  const first = blockedTurn('x');
  api.script((_, call) => (call === 1 ? first.turn : { text: ['Yes.'] }));
  const conversation = await openConversation(api);
  const { body } = await conversation.say('one');
  await conversation.running();
  await conversation.say('two');
  expect((await remove(conversation.path)).status).toBe(204);
  for (const path of [
    conversation.path,
    `${conversation.path}/messages`,
    `${conversation.path}/events`,
    `/v1/tasks/${body.taskId}`,
  ])
    expect((await api.http.get(path)).status).toBe(404);
  expect((await conversation.say('three')).status).toBe(404);
  expect((await remove(conversation.path)).status).toBe(404);
  expect((await api.http.post(`${conversation.path}/stop`, {})).status).toBe(404);
  expect(JSON.stringify((await api.http.get('/v1/tasks')).body)).not.toContain(body.taskId);
  expect(JSON.stringify((await api.http.get('/v1/conversations')).body)).not.toContain(conversation.id);
  await erased(conversation);
  expect(await query('select status from tasks where id = $1', [body.taskId])).toEqual([{ status: 'cancelled' }]);
});

test('no content of a deleted conversation is left, and its usage is kept', async () => {
  api.tool('search_documents', async () => ({ output: { found: 'PRIVATE finding' }, summary: 'PRIVATE summary' }));
  api.script([
    { text: ['PRIVATE thought'], calls: [{ tool: 'search_documents', arguments: { q: 'PRIVATE query' } }] },
    { text: ['PRIVATE answer'] },
    { text: ['PRIVATE again'] },
  ]);
  const conversation = await openConversation(api, { title: 'PRIVATE title', metadata: { k: 'PRIVATE note' } });
  await conversation.say('PRIVATE question', { metadata: { k: 'PRIVATE mark' } });
  await conversation.quiet();
  await conversation.say('PRIVATE more');
  await conversation.quiet();
  // Only this conversation's calls: those of other tests may still be ending.
  const usage = () =>
    query(
      `select count(*), sum(c.input_tokens) as input, sum(c.output_tokens) as output from model_calls c
       join tasks t on t.id = c.task_id where t.conversation_id = $1 and c.tenant = 'local'`,
      [conversation.id],
    );
  const before = await usage();
  expect(before).toEqual([{ count: 3, input: 30, output: 15 }]);
  expect(await stored()).toContain('PRIVATE');
  await remove(conversation.path);
  await erased(conversation);
  expect(await stored()).not.toContain('PRIVATE');
  expect(await usage()).toEqual(before);
});

test('content that another conversation shares stays', async () => {
  const requests = api.script((_, call) =>
    call % 2 === 1 && call < 5 ? { calls: [{ tool: 'search_documents', arguments: {} }] } : { text: ['Same answer.'] },
  );
  api.tool('search_documents', async () => ({ output: { found: 'the same' }, summary: 'looked' }));
  const [one, two] = [await openConversation(api), await openConversation(api)];
  for (const conversation of [one, two]) {
    await conversation.say('Same question');
    await conversation.quiet();
  }
  await remove(one.path);
  await erased(one);
  expect(transcript(await two.listed())).toEqual(['Same question', '> Same answer.']);
  await two.say('And now?');
  await two.quiet();
  const last = requests.at(-1);
  expect(last && outlineOf(last)).toEqual([
    'Same question',
    ['call search_documents'],
    [{ found: 'the same' }],
    ['> Same answer.'],
    'And now?',
  ]);
});

test('its followers receive the deletion, and their streams end', async () => {
  api.script(() => ({ text: ['Yes.'] }));
  const conversation = await openConversation(api);
  await conversation.say('one');
  await conversation.quiet();
  const following = api.http.get(`${conversation.path}/events`, { accept: 'text/event-stream' });
  await until('a stream is open', async () => ((await api.metrics.eventStreams.get()).values[0]?.value ?? 0) > 0);
  await remove(conversation.path);
  expect(eventsIn((await following).body).at(-1)?.event).toBe('conversation.deleted');
  await erased(conversation);
});

test('erasing again changes nothing', async () => {
  api.script(() => ({ text: ['Yes.'] }));
  const conversation = await openConversation(api);
  await conversation.say('one');
  await conversation.quiet();
  await remove(conversation.path);
  await erased(conversation);
  const before = await stored();
  const reference = { conversationId: conversation.id, agent: 'knowledge', tenant: 'local', subject: 'local' };
  await api.turns.erase(reference);
  expect(await stored()).toBe(before);
});

test('what a deleted conversation cites and reports is 404 before it is erased', async () => {
  api.script([{ text: ['Yes.'] }]);
  const conversation = await openConversation(api, {
    callback,
  });
  const { body } = await conversation.say('one');
  await conversation.quiet();
  const paths = [`/v1/tasks/${body.taskId}/citations`, `/v1/tasks/${body.taskId}/callback`];
  for (const path of paths) expect((await api.http.get(path)).status).toBe(200);
  // The rows are still there: no workflow is woken.
  await api.conversationRows.markDeleted(api.scope, conversation.id);
  for (const path of paths) expect((await api.http.get(path)).status).toBe(404);
  expect(await api.events.read(api.scope, body.taskId, 0, 100)).toEqual([]);
});

test('an erasure that was interrupted goes on, and holds up who stores contents only while it removes them', async () => {
  api.script(() => ({ text: ['INTERRUPTED answer'] }));
  const conversation = await openConversation(api);
  for (const text of ['INTERRUPTED one', 'INTERRUPTED two']) {
    await conversation.say(text);
    await conversation.quiet();
  }
  const reference = { conversationId: conversation.id, agent: 'knowledge', ...api.scope };
  const busy = await api.postgres.pool.connect();
  try {
    await busy.query('begin');
    await busy.query(`select pg_advisory_xact_lock_shared(hashtextextended('contents/local/local', 0))`);
    const erasing = api.turns.erase(reference);
    erasing.catch(() => {});
    // The large part is removed before the lock is asked for.
    const countEvents = async () =>
      (
        await query('select from task_events e join tasks t on t.id = e.task_id where t.conversation_id = $1', [
          conversation.id,
        ])
      ).length;
    await until('the events are gone', async () => (await countEvents()) === 0);
    const [waiting] = await until(
      'the erasure waits for the lock',
      () => query(`select pid from pg_stat_activity where wait_event = 'advisory' and datname = current_database()`),
      { accept: (rows) => rows.length > 0 },
    );
    await query('select pg_terminate_backend($1)', [waiting?.['pid']]);
    await expect(erasing).rejects.toThrow();
    await busy.query('commit');
  } finally {
    busy.release();
  }
  expect(await stored()).toContain('INTERRUPTED');
  await api.turns.erase(reference);
  expect(await stored()).not.toContain('INTERRUPTED');
});

describe('a task outside of conversations', () => {
  const ask = async (text: string) => {
    const { id } = await api.start({ agent: 'knowledge', input: { text } });
    await api.followToEnd(id);
    return id;
  };
  const sweep = (retention: Retention = {}) =>
    sweepRetention({ ...api, retentionOf: () => retention }, new AbortController().signal);

  test('is 404 at once when it is deleted, nothing of it is left, and its usage is kept', async () => {
    api.tool('search_documents', async () => ({ output: { found: 'ALONE finding' }, summary: 'ALONE summary' }));
    api.script([
      { text: ['ALONE thought'], calls: [{ tool: 'search_documents', arguments: { q: 'ALONE query' } }] },
      { text: ['ALONE answer'] },
    ]);
    const id = await ask('ALONE question');
    expect(await stored()).toContain('ALONE');
    expect((await remove(`/v1/tasks/${id}`)).status).toBe(204);
    for (const path of ['', '/events', '/citations', '/callback'])
      expect((await api.http.get(`/v1/tasks/${id}${path}`)).status).toBe(404);
    expect((await remove(`/v1/tasks/${id}`)).status).toBe(404);
    expect(await stored()).not.toContain('ALONE');
    expect(await query('select outcome, input_tokens from model_calls where task_id = $1', [id])).toEqual([
      { outcome: 'completed', input_tokens: 10 },
      { outcome: 'completed', input_tokens: 10 },
    ]);
  });

  test('leaves what another task with the same question has, and the last one takes everything', async () => {
    api.script(() => ({ text: ['TWICE answer'] }));
    const [one, two] = [await ask('TWICE question'), await ask('TWICE question')];
    await remove(`/v1/tasks/${one}`);
    expect((await api.http.get(`/v1/tasks/${two}`)).body).toMatchObject({ result: { text: 'TWICE answer' } });
    expect((await api.messageStore.loadAll(api.scope, await headOf(two))).length).toBe(2);
    await remove(`/v1/tasks/${two}`);
    expect(await stored()).not.toContain('TWICE');
  });
  const headOf = async (id: string) =>
    String((await query('select head from model_calls where task_id = $1', [id]))[0]?.['head']);

  test('that runs is cancelled, and the sweep removes its content after its end', async () => {
    const blocked = blockedTurn('RUNNING text');
    api.script([blocked.turn]);
    const { id } = await api.start({ agent: 'knowledge', input: { text: 'RUNNING question' } });
    await api.taskReaches(id, 'running');
    expect((await remove(`/v1/tasks/${id}`)).status).toBe(204);
    expect((await api.http.get(`/v1/tasks/${id}`)).status).toBe(404);
    await until(
      'the task has ended',
      async () => (await query(`select from tasks where id = $1 and status = 'cancelled'`, [id])).length > 0,
    );
    await sweep();
    expect(await stored()).not.toContain('RUNNING');
  });

  test('of a conversation is refused: it goes with its conversation', async () => {
    api.script([{ text: ['Yes.'] }]);
    const conversation = await openConversation(api);
    const { body } = await conversation.say('one');
    await conversation.quiet();
    const refused = await remove(`/v1/tasks/${body.taskId}`);
    expect(refused).toMatchObject({ status: 409, body: { code: 'task_in_conversation' } });
    expect((await api.http.get(`/v1/tasks/${body.taskId}`)).status).toBe(200);
  });

  test('does not come back by its Idempotency-Key', async () => {
    api.script([{ text: ['Yes.'] }]);
    const body = { input: { text: 'With a key' } };
    const key = { 'idempotency-key': 'deleted-task' };
    const { body: task } = await api.http.post('/v1/tasks', body, key);
    await api.followToEnd(task.id as string);
    await remove(`/v1/tasks/${task.id}`);
    expect(await api.http.post('/v1/tasks', body, key)).toMatchObject({
      status: 422,
      body: { code: 'idempotency_key_reused', detail: expect.stringContaining('deleted') },
    });
  });

  test('is deleted when it is older than its tenant keeps tasks, and so is an idle conversation', async () => {
    api.script(() => ({ text: ['AGED answer'] }));
    const [old, young] = [await ask('AGED question'), await ask('Another question')];
    const conversation = await openConversation(api, { title: 'AGED title' });
    await conversation.say('AGED message');
    await conversation.quiet();
    await query(`update tasks set ended_at = now() - interval '31 days' where id = $1`, [old]);
    await query(`update conversations set updated_at = now() - interval '8 days' where id = $1`, [conversation.id]);
    await sweep();
    expect((await api.http.get(`/v1/tasks/${old}`)).status).toBe(200);
    await sweep({ tasksDays: 30, conversationsDays: 7 });
    await erased(conversation);
    expect((await api.http.get(`/v1/tasks/${old}`)).status).toBe(404);
    expect((await api.http.get(`/v1/tasks/${young}`)).status).toBe(200);
    expect((await stored()).includes('AGED question') || (await stored()).includes('AGED message')).toBe(false);
  });

  test('keeps the secret of its callback until 30 days after the delivery, which then cannot be repeated', async () => {
    api.script([{ text: ['Yes.'] }]);
    const { id } = await api.start({ callback });
    await api.followToEnd(id);
    await query(
      `update callbacks set state = 'delivered', updated_at = now() - interval '31 days' where task_id = $1`,
      [id],
    );
    await sweep();
    expect(await query('select secret from callbacks where task_id = $1', [id])).toEqual([{ secret: '' }]);
    const repeated = await api.http.request(`/v1/tasks/${id}/callback`, { method: 'POST' });
    expect(repeated).toMatchObject({ status: 404, body: { code: 'callback_missing' } });
  });
});
