import pg from 'pg';
import { createConversationRows } from '../../adapters/postgres/conversations/conversation-rows.ts';
import { createConversationTurns } from '../../adapters/postgres/conversations/conversation-turns.ts';
import { createSchedules } from '../../adapters/postgres/schedules/schedules.ts';
import { createTasks } from '../../adapters/postgres/tasks/tasks.ts';
import { percentile } from '../../cli/eval/measures.ts';
import { loadConfig } from '../../runtime/config.ts';
import { openPostgres, type Database } from '../../runtime/database/postgres.ts';
import { formatThousands, runConcurrently } from './measure.ts';
import { generateRows, turnsOfConversation } from './generated-rows.ts';
import { startDatabase, type Surroundings } from './servers.ts';
import { person } from '../support/principals.ts';

/** Half of all rows are this subject's. */
const scope = { tenant: 'bench', subject: 's0' };
const deletions = 30;
const lists = { count: 200, concurrency: 4 };

/** Measures the deletion of conversations, who waits for it, and lists, in a database of `count` tasks and contents. */
export async function measureDeletion({ count, ...surroundings }: { count: number } & Surroundings) {
  const { dir, log, cleanups } = surroundings;
  const server = await startDatabase(surroundings);
  const startedAtMs = performance.now();
  const client = new pg.Client(server.url);
  await client.connect();
  await generateRows(client, count);
  await client.end();
  console.log(
    `\n${formatThousands(count)} tasks, contents and model calls, ${formatThousands(2 * count)} messages, generated in ${((performance.now() - startedAtMs) / 1_000).toFixed(0)} s`,
  );
  const postgres = openPostgres(loadConfig({ DATABASE_URL: server.url, ALFRED_DATA_DIR: dir }), log);
  cleanups.push(() => postgres.close());
  await measureLists(postgres.db);
  await measureDeletions(postgres.db);
}

async function measureLists(db: Database) {
  const tasks = createTasks(db);
  const rows = createConversationRows(db);
  const schedules = createSchedules(db);
  const { tasks: page } = await tasks.list(scope, { limit: 20 });
  const day = { after: '2024-02-01T00:00:00Z', before: '2024-01-01T00:00:00Z' };
  const conversationId = page.find((task) => task.conversationId !== null)?.conversationId ?? undefined;
  const queries: Record<string, () => Promise<unknown>> = {
    tasks: () => tasks.list(scope, { limit: 20 }),
    'tasks that failed': () => tasks.list(scope, { limit: 20, status: 'failed' }),
    'tasks of a rare agent': () => tasks.list(scope, { limit: 20, agent: 'rare' }),
    'tasks of a conversation': () => tasks.list(scope, { limit: 20, conversationId }),
    'tasks after a day': () => tasks.list(scope, { limit: 20, createdAfter: day.after }),
    'tasks before a day': () => tasks.list(scope, { limit: 20, createdBefore: day.before }),
    conversations: () => rows.list(scope, { limit: 20, archived: 'false' }),
    schedules: () => schedules.list(scope, { limit: 20 }),
  };
  for (const [name, query] of Object.entries(queries)) {
    const { results } = await runConcurrently(lists.count, lists.concurrency, () => timed(query));
    print(`list of ${name}`, results);
  }
}

async function measureDeletions(db: Database) {
  const rows = createConversationRows(db);
  const turns = createConversationTurns(db);
  const own = await rows.create(scope, { agent: 'knowledge' }, { onBusy: 'reject' });
  let stores = 0;
  const store = () => timed(() => storeMessage(db, own.id, `m${stores++}`));
  const before = await runConcurrently(lists.count, 2, store);
  print('a message of the same user is stored, without a deletion', before.results);

  const { conversations } = await rows.list(scope, { limit: deletions + 1, archived: 'false' });
  const deleted: number[] = [];
  const meanwhile: number[] = [];
  let isOver = false;
  const storing = Array.from({ length: 2 }, async () => {
    while (!isOver) meanwhile.push(await store());
  });
  for (const { id } of conversations.filter((conversation) => conversation.id !== own.id)) {
    deleted.push(
      await timed(async () => {
        await rows.markDeleted(scope, id);
        await turns.erase({ ...scope, conversationId: id, agent: 'knowledge' });
      }),
    );
  }
  isOver = true;
  await Promise.all(storing);
  print(`a conversation of ${turnsOfConversation} turns is deleted`, deleted);
  print('a message of the same user is stored meanwhile', meanwhile);
}

const storeMessage = (db: Database, conversationId: string, id: string) =>
  createConversationRows(db).storeMessage(person(scope.subject, { tenant: scope.tenant }), conversationId, {
    id,
    text: `A message, ${id}.`,
  });

/** @returns the time in milliseconds */
async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAtMs = performance.now();
  await work();
  return performance.now() - startedAtMs;
}

function print(label: string, times: number[]) {
  const [p50, p95] = [0.5, 0.95].map((share) => percentile(times, share).toFixed(1));
  console.log(`  ${label}: p50 ${p50} ms, p95 ${p95} ms, longest ${Math.max(...times).toFixed(1)} ms`);
}
