import { sql } from 'kysely';
import { validate as isUuid } from 'uuid';
import type { Shareable, Shares } from '../../../contract/ports/index.ts';
import type { Scope } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import { lockConversation } from '../conversations/conversation-row.ts';
import { withoutTask } from '../conversations/coming-task.ts';
import { hasReader } from './shared-rows.ts';

/** Readers of tasks and conversations as rows. A task has its own readers, and those of its conversation. */
export const createShares = (db: Database): Shares => ({
  findOwner: (reader, what) =>
    'taskId' in what
      ? findOwnerOfTask(db, reader, what.taskId)
      : findOwnerOfConversation(db, reader, what.conversationId),

  async listReaders(owner, what) {
    if (!(await isOwned(db, owner, what))) return undefined;
    return readReaders(db, what);
  },

  setReaders: (owner, what, readers) =>
    db.transaction().execute(async (trx) => {
      // Two replacements at once follow each other, and a deletion removes what came before it.
      if (!(await isOwned(trx, owner, what, { lock: true }))) return undefined;
      await replaceReaders(trx, owner, what, readers);
      return readReaders(trx, what);
    }),
});

async function findOwnerOfTask(db: Database, reader: Scope, taskId: string): Promise<Scope | undefined> {
  if (!isUuid(taskId)) return undefined;
  const { rows } = await sql<Scope>`
    select t.tenant, t.subject from tasks t
    where t.id = ${taskId} and t.tenant = ${reader.tenant} and t.erased_at is null and ${hasReader.task(reader)}
    union all
    -- the task of a message whose turn has not begun has no row
    select c.tenant, c.subject from conversation_messages m join conversations c on c.id = m.conversation_id
    where ${withoutTask} and m.task_id = ${taskId} and c.tenant = ${reader.tenant} and c.deleted_at is null
      and ${hasReader.conversation(reader)}
    limit 1`.execute(db);
  return rows[0];
}

async function findOwnerOfConversation(
  db: Database,
  reader: Scope,
  conversationId: string,
): Promise<Scope | undefined> {
  const { rows } = await sql<Scope>`
    select c.tenant, c.subject from conversations c
    where c.id = ${conversationId} and c.tenant = ${reader.tenant} and c.deleted_at is null
      and ${hasReader.conversation(reader)}`.execute(db);
  return rows[0];
}

async function isOwned(db: Database, owner: Scope, what: Shareable, { lock = false } = {}): Promise<boolean> {
  if ('conversationId' in what) {
    const { conversationId } = what;
    if (lock) return (await lockConversation(db, { ...owner, conversationId })) !== undefined;
    const { rows } = await sql`
      select from conversations where id = ${conversationId} and tenant = ${owner.tenant} and subject = ${owner.subject}
        and deleted_at is null`.execute(db);
    return rows.length > 0;
  }
  if (!isUuid(what.taskId)) return false;
  const { rows } = await sql`
    select from tasks where id = ${what.taskId} and tenant = ${owner.tenant} and subject = ${owner.subject}
      and erased_at is null ${lock ? sql`for no key update` : sql``}`.execute(db);
  return rows.length > 0;
}

/** Where the readers of a thing stand. */
const placeOf = (what: Shareable) =>
  'taskId' in what
    ? { table: sql.table('task_readers'), column: sql.ref('task_id'), id: sql`${what.taskId}::uuid` }
    : {
        table: sql.table('conversation_readers'),
        column: sql.ref('conversation_id'),
        id: sql`${what.conversationId}::text`,
      };

async function readReaders(db: Database, what: Shareable): Promise<string[]> {
  const { table, column, id } = placeOf(what);
  const { rows } = await sql<{ reader: string }>`
    select reader from ${table} where ${column} = ${id} order by reader`.execute(db);
  return rows.map(({ reader }) => reader);
}

async function replaceReaders(trx: Database, { tenant }: Scope, what: Shareable, readers: string[]): Promise<void> {
  const { table, column, id } = placeOf(what);
  await sql`delete from ${table} where ${column} = ${id}`.execute(trx);
  await sql`
    insert into ${table} (${column}, reader, tenant)
    select ${id}, r, ${tenant} from unnest(${[...new Set(readers)]}::text[]) r`.execute(trx);
}
