import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { until } from '../support/until.ts';
import { createApiHarness, type ApiHarness } from './api-harness.ts';
import { eventsIn } from './checked-client.ts';
import { outlineOf, blockedTurn, transcript, openConversation, type TestConversation } from './open-conversation.ts';

let api: ApiHarness;
beforeAll(async () => {
  api = await createApiHarness();
});
afterAll(() => api?.close());

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
