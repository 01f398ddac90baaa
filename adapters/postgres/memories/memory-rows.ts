import { sql, type RawBuilder, type Selectable } from 'kysely';
import type { Memory } from '../../../contract/memories.ts';
import type { Tables } from '../../../runtime/database/tables.ts';

/** Whose memories: columns or values. */
type Reader = { tenant: RawBuilder<unknown>; subject: RawBuilder<unknown> };

/** The groups that a reader is in at the moment. */
export const groupsOf = ({ tenant, subject }: Reader) => sql`
  select g.group_name from group_members g where g.tenant = ${tenant} and g.subject = ${subject}`;

/** The ids of what a reader may read. Two branches, each by an index of its own. */
export const readableIds = (reader: Reader) => sql`
  select o.id from memories o
  where o.tenant = ${reader.tenant} and o.subject = ${reader.subject} and o.group_name is null and o.expires_at > now()
  union all
  select o.id from memories o
  where o.tenant = ${reader.tenant} and o.group_name in (${groupsOf(reader)}) and o.expires_at > now()`;

/** The memory `m` as JSON with the columns of its row. */
export const memoryJson = sql`jsonb_build_object('id', m.id, 'text', m.text, 'group_name', m.group_name,
  'subject', m.subject, 'via', m.via, 'task_id', m.task_id, 'conversation_id', m.conversation_id,
  'created_at', m.created_at, 'expires_at', m.expires_at)`;

type Columns = Pick<
  Selectable<Tables['memories']>,
  'id' | 'text' | 'group_name' | 'subject' | 'via' | 'task_id' | 'conversation_id'
>;

/** @param row as a row, or as JSON, which has times as texts */
export const toMemory = (row: Columns & { created_at: Date | string; expires_at: Date | string }): Memory => ({
  id: row.id,
  text: row.text,
  group: row.group_name,
  by: row.subject,
  source: { via: row.via, taskId: row.task_id, conversationId: row.conversation_id },
  createdAt: new Date(row.created_at).toISOString(),
  expiresAt: new Date(row.expires_at).toISOString(),
});
