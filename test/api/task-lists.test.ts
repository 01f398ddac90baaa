import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createConversationRows } from '../../adapters/postgres/conversations/conversation-rows.ts';
import { createConversationTurns } from '../../adapters/postgres/conversations/conversation-turns.ts';
import { createApiHarness, type ApiHarness } from './api-harness.ts';
import { person } from '../support/principals.ts';

let api: ApiHarness;
beforeAll(async () => {
  api = await createApiHarness();
});
afterAll(() => api?.close());

/** Creates a task's row without starting its workflow. */
const createRow = () => api.tasks.create(api.scope, { agent: 'knowledge', input: { text: 'A' } }, {});

describe('GET /v1/tasks', () => {
  test('lists every task once, page by page, newest first, with filters', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 7; n++) ids.push((await createRow()).id);
    await api.postgres.pool.query(`update tasks set conversation_id = 'pages' where id = any($1)`, [ids]);
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page = await api.http.get(
        `/v1/tasks?conversationId=pages&limit=3${cursor && `&cursor=${encodeURIComponent(cursor)}`}`,
      );
      seen.push(...page.body.tasks.map(({ id }: { id: string }) => id));
      cursor = page.body.nextCursor;
    }
    expect(seen).toEqual(ids.toReversed());
    expect((await api.http.get('/v1/tasks?conversationId=pages&status=completed')).body).toEqual({
      tasks: [],
      nextCursor: null,
    });
    expect(
      (await api.http.get('/v1/tasks?conversationId=pages&createdBefore=2020-01-01T00:00:00Z')).body.tasks,
    ).toEqual([]);
    expect(
      (await api.http.get('/v1/tasks?conversationId=pages&createdAfter=2020-01-01T00:00:00%2B02:00&agent=knowledge'))
        .body.tasks,
    ).toHaveLength(7);
  });

  test('which conversation a task of others belongs to is no filter', async () => {
    const { status, body } = await api.http.get('/v1/tasks?of=tenant&conversationId=pages');
    expect([status, body.code]).toEqual([422, 'invalid_request']);
  });

  test('the task of a message is listed when its turn begins, with the time of the message', async () => {
    const { db } = api.postgres;
    const rows = createConversationRows(db);
    const turns = createConversationTurns(db);
    const { id: conversationId, agent } = await rows.create(api.scope, { agent: 'knowledge' }, { onBusy: 'enqueue' });
    const ref = { ...api.scope, conversationId, agent };
    await rows.storeMessage(person(api.scope.subject, { tenant: api.scope.tenant }), conversationId, {
      id: 'm',
      text: 'A',
    });
    const [decided] = await turns.decide(ref, ['m']);
    const message = await api.postgres.pool.query<{ created_at: Date }>(
      'select created_at from conversation_messages where conversation_id = $1',
      [conversationId],
    );
    const sent = message.rows[0]?.created_at ?? new Date(0);
    const list = async (after: number) =>
      (
        await api.http.get(
          `/v1/tasks?conversationId=${conversationId}&createdAfter=${new Date(sent.getTime() + after).toISOString()}`,
        )
      ).body.tasks.map(({ id, createdAt }: { id: string; createdAt: string }) => [id, createdAt]);
    expect(await list(-1)).toEqual([]);
    await turns.begin(ref, () => ({ budget: {} }));
    expect(await list(-1)).toEqual([[decided?.receipt.taskId, sent.toISOString()]]);
    expect(await list(1)).toEqual([]);
  });

  test('shows the first words of what was asked, and no longer than a line', async () => {
    const text = `Who approves\n\n  expenses ${'of the whole department '.repeat(20)}?`;
    const { id } = await api.tasks.create(api.scope, { agent: 'knowledge', input: { text } }, {});
    const [listed] = (await api.http.get('/v1/tasks?limit=1')).body.tasks;
    expect(listed).toMatchObject({ id, asked: expect.stringMatching(/^Who approves expenses of .{80,100}…$/) });
    expect(listed).not.toHaveProperty('input');
    expect((await api.http.get(`/v1/tasks/${id}`)).body.input).toEqual({ text });
  });

  test.each([
    'limit=0',
    'limit=many',
    'status=done',
    'createdAfter=yesterday',
    'cursor=nonsense',
    'colour=red',
    'agent=%00',
    'limit=1&limit=2',
  ])('refuses ?%s', async (query) => {
    const answer = await api.http.get(`/v1/tasks?${query}`);
    expect([answer.status, answer.body.code]).toEqual([422, 'invalid_request']);
  });
});
