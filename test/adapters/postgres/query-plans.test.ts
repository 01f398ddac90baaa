import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Kysely, PostgresDialect } from 'kysely';
import { sweepRetention } from '../../../activities/sweep/sweep-retention.ts';
import { approvalStatuses } from '../../../contract/approval.ts';
import { noUsage } from '../../../contract/references.ts';
import { TaskStatus } from '../../../contract/task.ts';
import { createMetrics } from '../../../runtime/metrics.ts';
import type { Tables } from '../../../runtime/database/tables.ts';
import { createAdapters, type Adapters } from '../../../wiring/adapters.ts';
import { indexesOf, scansOf, tablesOf, type PlanNode } from '../../support/query-plan.ts';
import { generatedArtifacts, sendArtifactQueries } from './artifact-queries.ts';
import { sendDelegationQueries } from './delegation-queries.ts';
import { sendKeyQueries } from './key-queries.ts';
import { large } from './large-tables.ts';
import { generatedShares, sendShareQueries } from './share-queries.ts';
import { generatedSlack, sendSlackQueries } from './slack-queries.ts';
import { parted } from './two-months.ts';
import { generatedMemories, sendTenantQueries } from './tenant-queries.ts';
import { createTestEnvironment, type TestEnvironment } from '../../support/environment/environment.ts';
import { person } from '../../support/principals.ts';

// Planners choose by the size of tables: these are large enough that a scan of one costs more than any index.
const rows = 20_000;
const scope = { tenant: 'local', subject: 's7' };
const principal = person(scope.subject, { tenant: scope.tenant, roles: ['boss'] });

let env: TestEnvironment;
let adapters: Adapters;
let db: Kysely<Tables>;
let statements: { sql: string; parameters: readonly unknown[] }[] = [];
let ids: { task: string; erased: string; conversation: string; schedule: string; ingestion: string };

beforeAll(async () => {
  env = await createTestEnvironment();
  db = new Kysely<Tables>({
    dialect: new PostgresDialect({ pool: env.postgres.pool }),
    log: ({ query: { sql, parameters } }) => void statements.push({ sql, parameters }),
  });
  adapters = createAdapters({ ...env, postgres: { ...env.postgres, db } });
  await env.postgres.pool.query(parted);
  await adapters.partitions.align(new AbortController().signal);
  // One by one: all of them together take longer than a query may, on a busy machine.
  const client = await env.postgres.pool.connect();
  try {
    const rows = [generated, generatedArtifacts, generatedShares, generatedSlack, generatedMemories].join('');
    for (const statement of rows.split(/;$/m)) await client.query(statement);
  } finally {
    client.release();
  }
  const { rows: found } = await env.postgres.pool.query<typeof ids>(
    `select (select id from tasks where subject = 's7' limit 1) as task,
       (select id from tasks where subject = 's7' and tenant = 'local' and conversation_id is null
         and ended_at is not null order by id desc limit 1) as erased,
       (select id from conversations where subject = 's7' limit 1) as conversation,
       (select id from schedules limit 1) as schedule, (select id from ingestions where subject = 's7' limit 1) as ingestion`,
  );
  if (!found[0]) throw new Error('nothing was generated');
  ids = found[0];
});
afterAll(async () => {
  await adapters?.close();
  await env?.close();
});

/**
 * Runs queries, and expects that Postgres reads none of the large tables from begin to end for any of them.
 *
 * @returns the indexes that it reads
 */
async function expectIndexes(run: () => Promise<unknown>) {
  const plans = await plansOf(run);
  for (const { sql, plan } of plans) {
    const scanned = scansOf(plan).filter((table) => large.includes(table));
    expect({ sql, scanned }).toEqual({ sql, scanned: [] });
  }
  return plans.flatMap(({ plan }) => indexesOf(plan));
}

/** The plans of the queries that `run` sends. */
async function plansOf(run: () => Promise<unknown>): Promise<{ sql: string; plan: PlanNode | undefined }[]> {
  statements = [];
  await run();
  expect(statements).not.toEqual([]);
  const plans = [];
  for (const { sql, parameters } of statements) {
    if (!/^\s*(with|select|update|delete|insert)\b/i.test(sql)) continue;
    const { rows } = await env.postgres.pool.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>({
      text: `explain (format json) ${sql}`,
      values: [...parameters],
    });
    plans.push({ sql, plan: rows[0]?.['QUERY PLAN'][0].Plan });
  }
  return plans;
}
test('the files of a task', () => expectIndexes(() => sendArtifactQueries(adapters, scope, ids.task)));
test('what is shared', () => expectIndexes(() => sendShareQueries(adapters, scope, ids)));

test('lists of tasks, with every filter', async () => {
  const day = '2024-03-01T00:00:00Z';
  for (const filter of [
    {},
    ...TaskStatus.options.map((status) => ({ status })),
    { agent: 'knowledge' },
    { agent: 'rare' },
    { conversationId: ids.conversation },
    { createdBefore: day },
    { createdAfter: day },
    { cursor: ids.task },
  ])
    await expectIndexes(() => adapters.tasks.list(scope, { limit: 20, ...filter }));
  const list = (filter: object) => expectIndexes(() => adapters.tasks.list(scope, { limit: 20, ...filter }));
  expect(await list({ status: 'failed' })).toContain('tasks_by_status');
  expect(await list({ agent: 'rare' })).toContain('tasks_by_agent');
  expect(await list({ status: 'incomplete' })).toContain('tasks_incomplete');
  expect(await list({ parent: ids.task })).toContain('tasks_of_parent');
  // What is new: few of many tasks.
  expect(await list({ createdAfter: '2023-12-07T17:00:00Z' })).toContain('tasks_by_creation');
  // The date is a bound of the index, and no filter on the rows that it gives.
  await adapters.tasks.list(scope, { limit: 20, createdBefore: day });
  expect(statements.at(-1)?.sql).toContain('"t"."id" <');
});

test('a task with its events, citations and callback', () =>
  expectIndexes(async () => {
    await Promise.all([adapters.tasks.get(scope, ids.task), adapters.tasks.isOpen(scope, ids.task)]);
    await adapters.events.read(scope, ids.task, 0, 100);
    await adapters.citations.list(scope, ids.task);
    await adapters.callbacks.get({ ...scope, taskId: ids.task });
    await adapters.callbacks.findPush({ ...scope, taskId: ids.task });
  }));

test('a task whose turn has not begun', async () => {
  expect(await expectIndexes(() => adapters.conversationRows.findComingTask(scope, ids.task))).toContain(
    'conversation_messages_without_task',
  );
});

test('lists of conversations, messages and events', () =>
  expectIndexes(async () => {
    for (const archived of ['false', 'true'] as const) {
      await adapters.conversationRows.list(scope, { limit: 20, archived });
      await adapters.conversationRows.list(scope, { limit: 20, archived, agent: 'rare', cursor: ids.task });
    }
    for (const filter of [{}, { after: 1 }, { before: 1 }])
      await adapters.conversationRows.listMessages(scope, ids.conversation, { limit: 20, ...filter });
    await adapters.conversationRows.findMessage(scope, ids.conversation, 'm1');
    await adapters.conversationEvents.read(scope, ids.conversation, 0, 100);
  }));

test('lists of approvals, schedules, documents and keys, and a key by its id', async () => {
  for (const filter of [
    {},
    ...([...approvalStatuses, 'decided'] as const).map((status) => ({ status })),
    { mine: 'true' as const },
    { taskId: ids.task },
    { cursor: ids.task },
  ])
    await expectIndexes(() => adapters.approvals.list(principal, { limit: 20, ...filter }));
  const denied = () => adapters.approvals.list(principal, { limit: 20, status: 'denied' });
  expect(await expectIndexes(denied)).toContain('approvals_by_status');
  await expectIndexes(() => adapters.schedules.list(scope, { limit: 20 }));
  await expectIndexes(() => adapters.documents.list(scope, { limit: 20 }));
  expect(await expectIndexes(() => adapters.documents.findByName(scope, 'n7'))).toContain('documents_by_name');
  await expectIndexes(() => adapters.documents.readOriginal(scope, ids.task));
  await expectIndexes(() => sendKeyQueries(adapters, db, principal));
  await expectIndexes(() => adapters.documents.list(scope, { limit: 20, collection: 'rare' }));
  await expectIndexes(() => adapters.documents.findByName(scope, 'n7'));
});

test('events of a task are read, appended and deleted in the one part of its month', async () => {
  const parts = await plansOf(async () => {
    const task = { ...scope, taskId: ids.task, agent: 'knowledge' };
    const run = { runId: 'r', step: 1, attempt: 1, purpose: 'turn', provider: 'p', model: 'm' } as const;
    const call = { ...run, callId: ids.task, usage: noUsage, durationMs: 1, firstTokenMs: null };
    await adapters.events.read(scope, ids.task, 0, 100);
    await adapters.events.appendOnce(task, { runId: 'r' }, { type: 'task.resumed', data: { reason: 'x' } });
    // It folds the streamed text.
    await adapters.ledger.failModelCall(task, { ...call, code: 'internal', message: 'x', mayRetry: true });
    await adapters.erasure.deleteTask(scope, ids.erased);
  });
  const read = parts.map(
    ({ plan }) => new Set(tablesOf(plan).filter((table) => table.startsWith('task_events_'))).size,
  );
  expect(Math.max(...read)).toBe(1);
});

test('what a task and an upload ask of their own rows', () =>
  expectIndexes(async () => {
    const task = { ...scope, taskId: ids.task, agent: 'knowledge' };
    await adapters.ledger.listOpenCalls(task);
    await adapters.ledger.stateOfCall(task, ids.task);
    await adapters.ledger.findPaidCall(task, 1, 'turn');
    await sendDelegationQueries(adapters, scope, ids.task);
    await adapters.documents.getIngestion(scope, ids.ingestion);
    await adapters.documents.listPendingFiles(scope, ids.ingestion, 100);
    await adapters.ingestionEvents.read(scope, ids.ingestion, 0, 100);
  }));

test('usage, and what an operator lists', () => expectIndexes(() => sendTenantQueries(adapters, scope, ids.task)));

test('what the Slack door asks', () => expectIndexes(() => sendSlackQueries(adapters)));

test('what the sweep asks', () =>
  expectIndexes(async () => {
    const page = { olderThanMs: 5_000, limit: 200 };
    const { next } = await adapters.tasks.listOpen({ olderThanMs: 5_000, after: undefined, limit: 200 });
    await adapters.tasks.listOpen({ olderThanMs: 5_000, after: next, limit: 200 });
    await adapters.tasks.listStates([ids.task]);
    await adapters.tasks.countOpen();
    await adapters.conversationRows.listOpen({ ...page, after: ids.conversation });
    await adapters.callbacks.listOverdue(200);
    await adapters.callbacks.removeOldSecrets(50);
    await adapters.effects.listUndoing({ ...page, after: ids.task });
    await adapters.ledger.writeOffLost();
    await adapters.ledger.countUsage(100);
    await adapters.partitions.align(new AbortController().signal);
    await adapters.documents.listOpenIngestions({ ...page, after: ids.ingestion });
    await adapters.documents.pendingSince();
  }));

test('the deletion of a task and of a conversation, and the end of retention', async () => {
  // Another task has the same question.
  await env.postgres.pool.query(
    `update tasks set input_head = (select input_head from tasks where id = $1)
     where id = (select id from tasks where tenant = 'local' and subject = 's7' and id <> $1 limit 1)`,
    [ids.task],
  );
  await expectIndexes(async () => {
    await adapters.erasure.deleteTask(scope, ids.task);
    await adapters.turns.erase({ ...scope, conversationId: ids.conversation, agent: 'knowledge' });
    await sweepRetention(
      {
        ...adapters,
        messages: { wake: async () => {} },
        retentionOf: () => ({ tasksDays: 100_000, conversationsDays: 100_000 }),
        metrics: createMetrics(),
        log: env.log,
      },
      new AbortController().signal,
    );
  });
  expect(statements.filter(({ sql }) => sql.includes('own (hash)'))).not.toEqual([]);
});

/** Rows of 20 subjects and two tenants; ids carry their times, as real ones do. */
const generated = `
  create function pg_temp.id_at(n int) returns uuid language sql as $$
    select (lpad(to_hex((1700000000000 + n * 100000::bigint)), 12, '0') || '7000' || '8000' || lpad(to_hex(n), 12, '0'))::uuid $$;
  insert into tasks (id, tenant, subject, agent, status, conversation_id, request_hash, input_head, result_hash, last_seq, created_at, ended_at)
    select pg_temp.id_at(n), case when n % 3 = 0 then 'other' else 'local' end, 's' || n % 20, case when n % 500 = 7 then 'rare' else 'knowledge' end,
      (array['completed', 'completed', 'completed', 'failed', 'cancelled'])[1 + n % 5],
      case when n % 2 = 0 then 'c' || n % 4000 end, 'r', 'm' || n, 'h' || n, 5,
      to_timestamp(1700000000 + n * 100), to_timestamp(1700000100 + n * 100)
    from generate_series(1, ${rows}) n;
  update tasks set status = 'running', ended_at = null where id in (select id from tasks order by id desc limit 50);
  update tasks set incomplete = 'budget' where status = 'completed' and right(input_head, 3) = '010';
  insert into task_events (task_id, seq, type, data) select id, n, 'model.started', '{}' from tasks, generate_series(1, 3) n;
  alter table model_calls disable trigger user;
  insert into model_calls (is_counted, task_id, step, attempt, outcome, provider, model, tenant, agent, head, result_hash, input_tokens,
      cache_read_tokens, cache_write_tokens, output_tokens, cost_usd, duration_ms)
    select true, id, 1, 1, 'completed', 'p', 'm', tenant, agent, 'n' || input_head, result_hash, 1, 1, 1, 1, 1, 1 from tasks;
  alter table model_calls enable trigger user;
  insert into tool_calls (task_id, call_id, step, tool, result_hash, full_hash) select id, 'c', 1, 't', 't' || result_hash, 'f' || result_hash from tasks;
  insert into contents (tenant, subject, hash, bytes)
    select tenant, subject, p || result_hash, '{}' from tasks, unnest(array['', 't', 'f']) p;
  insert into messages (tenant, subject, hash, parent, depth, body)
    select tenant, subject, p || input_head, case p when '' then null else input_head end, length(p), '{"role":"user","text":"x"}'
    from tasks, unnest(array['', 'n']) p;
  insert into approvals (id, tenant, subject, task_id, agent, step, call_id, tool, arguments, arguments_hash, rule, expires_at, status)
    select id, tenant, subject, id, agent, 1, 'c', 't', '{}', 'h', '{"fourEyes": false}', now(), case when right(input_head, 2) = '11' then 'pending' else 'approved' end from tasks;
  insert into callbacks (task_id, tenant, subject, url, secret, state) select id, tenant, subject, 'u', 's', 'delivered' from tasks;
  insert into conversations (id, tenant, subject, agent, on_busy, request_hash)
    select 'c' || n, case when n % 3 = 0 then 'other' else 'local' end, 's' || n % 20, 'knowledge', 'enqueue', 'r' from generate_series(1, ${rows}) n;
  insert into conversation_messages (conversation_id, id, position, content_hash, request, request_hash, task_id, state)
    select id, 'm', 1, 'h' || id, '{}', 'r', gen_random_uuid(), case when right(id, 1) = '1' then 'dropped' else 'done' end from conversations;
  insert into conversation_events (conversation_id, seq, type, data) select id, n, 'conversation.changed', '{}' from conversations, generate_series(1, 2) n;
  insert into schedules (id, tenant, subject, name, timing, action, request_hash) select gen_random_uuid(), 'local', 's7', 'n', '{}', '{}', 'r' from generate_series(1, 20);
  insert into schedule_runs (schedule_id, key, task_id) select s.id, t.id::text, t.id from schedules s, (select id from tasks limit 2000) t;
  insert into documents (id, tenant, subject, name, title, media_type, content_hash, size_bytes, text, characters, chunk_count) select gen_random_uuid(), 'local', 's' || n % 20, 'n' || n, 't', 'text/plain', 'h', 1, 'x', 1, 0 from generate_series(1, ${rows}) n;
  insert into api_keys (id, tenant, created_by, name, roles, scopes, secret_hash) select lpad(to_hex(n), 16, '0'), 'local', 's' || n % 2000, 'k', '{}', '{}', '' from generate_series(1, ${rows}) n;
  insert into ingestions (id, tenant, subject, status, created_at) select pg_temp.id_at(n), 'local', 's' || n % 20, case when n % 2000 = 0 then 'running' else 'completed' end, now() - interval '1 day' from generate_series(1, ${rows}) n;
  insert into ingestion_files (ingestion_id, ordinal, name, media_type, content_hash, size_bytes, state)
    select id, 1, 'n', 'text/plain', 'h', 1, case status when 'running' then 'pending' else 'added' end from ingestions;
  analyze;`;
