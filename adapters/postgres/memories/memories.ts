import { sql } from 'kysely';
import { v7 as newId, validate as isUuid } from 'uuid';
import { AlfredError, InvalidRequest } from '../../../contract/errors.ts';
import { mostMemories, usualMemoryDays, type Memory, type MemoryRequest } from '../../../contract/memories.ts';
import type { Memories } from '../../../contract/ports/index.ts';
import type { Scope } from '../../../contract/references.ts';
import { chooseMemories } from '../../../contract/rules/choose-memories.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { Logger } from '../../../runtime/logger.ts';
import type { Metrics } from '../../../runtime/metrics.ts';
import { hashRequest } from '../hashes.ts';
import { requireCursor } from '../require-cursor.ts';
import { appendEvents } from '../tasks/append-events.ts';
import { groupsOf, readableIds, toMemory } from './memory-rows.ts';

type Observers = { log: Pick<Logger, 'info'>; metrics?: Pick<Metrics, 'memories'> | undefined };

export const createMemories = (db: Database, { log, metrics }: Observers): Memories => ({
  async create(by, request, options) {
    const { memory, isNew } = await db.transaction().execute((trx) => insertMemory(trx, by, request, options));
    if (isNew) {
      metrics?.memories.inc({ change: 'remembered' });
      log.info({ tenant: by.tenant, memoryId: memory.id, via: memory.source.via }, 'a memory was stored');
    }
    return memory;
  },

  async get(reader, id) {
    if (!isUuid(id)) return undefined;
    const row = await readable(db, reader).where('m.id', '=', id).executeTakeFirst();
    return row && toMemory(row);
  },

  async list(reader, { limit, cursor }) {
    requireCursor(cursor);
    let query = readable(db, reader)
      .orderBy('m.id', 'desc')
      .limit(limit + 1);
    if (cursor !== undefined) query = query.where('m.id', '<', cursor);
    const rows = await query.execute();
    const memories = rows.slice(0, limit).map(toMemory);
    return { memories, nextCursor: rows.length > limit ? (memories.at(-1)?.id ?? null) : null };
  },

  async delete({ tenant, subject }, id) {
    if (!isUuid(id)) return undefined;
    const row = await db
      .deleteFrom('memories')
      .where('id', '=', id)
      .where('tenant', '=', tenant)
      .where('subject', '=', subject)
      .returningAll()
      .executeTakeFirst();
    if (!row) return undefined;
    metrics?.memories.inc({ change: 'forgotten' });
    log.info({ tenant, memoryId: id }, 'a memory was deleted');
    return toMemory(row);
  },

  async recall(task, step) {
    const rows = await readable(db, task).orderBy('m.id', 'desc').execute();
    const chosen = chooseMemories(rows.map(toMemory), await readQuestion(db, task));
    const memories = chosen.map(({ text: _, expiresAt: __, ...memory }) => memory);
    const stored = await appendEvents(db, task, {
      when: sql`memories is null`,
      set: { memories: sql`${chosen.map(({ id }) => id)}::uuid[]` },
      events: chosen.length > 0 ? [{ type: 'memory.used', data: { step, memories } }] : [],
    });
    if (stored) {
      metrics?.memories.inc({ change: 'recalled' }, chosen.length);
      if (chosen.length > 0) log.info({ taskId: task.taskId, memories: chosen.length }, 'a task was given memories');
      return chosen;
    }
    const isChosen = sql<boolean>`m.id = any(array(select unnest(t.memories) from tasks t where t.id = ${task.taskId}))`;
    return (await readable(db, task).where(isChosen).execute()).map(toMemory);
  },

  async removeExpired(limit) {
    const { rows } = await sql`
      delete from memories where id in (select id from memories where expires_at <= now() order by expires_at limit ${limit})
      returning 1`.execute(db);
    metrics?.memories.inc({ change: 'expired' }, rows.length);
    return rows.length;
  },
});

const readable = (db: Database, { tenant, subject }: Scope) =>
  db
    .selectFrom('memories as m')
    .selectAll('m')
    .where(sql<boolean>`m.id in (${readableIds({ tenant: sql`${tenant}`, subject: sql`${subject}` })})`);

/** @param trx a transaction */
async function insertMemory(
  trx: Database,
  by: Scope,
  request: MemoryRequest,
  { idempotencyKey, from }: Parameters<Memories['create']>[2],
): Promise<{ memory: Memory; isNew: boolean }> {
  const { tenant, subject } = by;
  // Two requests at once count one after the other.
  await sql`select pg_advisory_xact_lock(hashtextextended(${`memories/${tenant}/${subject}`}, 0))`.execute(trx);
  const requestHash = hashRequest(request);
  if (idempotencyKey !== undefined) {
    const known = await trx
      .selectFrom('memories')
      .selectAll()
      .where('tenant', '=', tenant)
      .where('subject', '=', subject)
      .where('idempotency_key', '=', idempotencyKey)
      .executeTakeFirst();
    if (known && known.request_hash !== requestHash)
      throw new AlfredError(
        'idempotency_key_reused',
        `The Idempotency-Key "${idempotencyKey}" was used with another request, for memory ${known.id}.`,
      );
    if (known) return { memory: toMemory(known), isNew: false };
  }
  await refuseTooMany(trx, by);
  const { text, group = null, expiresInDays = usualMemoryDays } = request;
  await requireGroup(trx, by, group);
  const { rows } = await sql<Parameters<typeof toMemory>[0]>`
    insert into memories (id, tenant, subject, group_name, text, via, task_id, conversation_id, idempotency_key,
      request_hash, expires_at)
    select ${newId()}, ${tenant}, ${subject}, ${group}, ${text}, coalesce(t.principal ->> 'via', ${'via' in from ? from.via : 'local'}),
      t.id, t.conversation_id, ${idempotencyKey ?? null}, ${requestHash}, now() + make_interval(days => ${expiresInDays})
    from (select) one left join tasks t
      on t.id = ${'taskId' in from ? from.taskId : null}::uuid and t.tenant = ${tenant} and t.subject = ${subject}
    returning *`.execute(trx);
  return { memory: toMemory(rows[0]!), isNew: true };
}

async function refuseTooMany(trx: Database, { tenant, subject }: Scope): Promise<void> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from memories
    where tenant = ${tenant} and subject = ${subject} and expires_at > now()`.execute(trx);
  if ((rows[0]?.count ?? 0) >= mostMemories)
    throw new AlfredError('memory_full', `${mostMemories} memories are there. Delete some first.`);
}

/** @throws InvalidRequest */
async function requireGroup(trx: Database, { tenant, subject }: Scope, group: string | null): Promise<void> {
  if (group === null) return;
  const { rows } = await sql<{ group_name: string }>`
    ${groupsOf({ tenant: sql`${tenant}`, subject: sql`${subject}` })} and g.group_name = ${group}`.execute(trx);
  if (rows.length === 0) throw new InvalidRequest([{ path: 'group', message: `you are not in a group "${group}"` }]);
}

async function readQuestion(db: Database, { tenant, subject, taskId }: Scope & { taskId: string }): Promise<string> {
  const { rows } = await sql<{ text: string | null }>`
    select m.body ->> 'text' as text from tasks t
    join messages m on m.tenant = t.tenant and m.subject = t.subject and m.hash = t.input_head
    where t.id = ${taskId} and t.tenant = ${tenant} and t.subject = ${subject}`.execute(db);
  return rows[0]?.text ?? '';
}
