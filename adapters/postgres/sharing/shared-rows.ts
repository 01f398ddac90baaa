import { sql, type RawBuilder } from 'kysely';
import type { Scope } from '../../../contract/references.ts';
import { readerNamesOf } from '../identity/reader-names.ts';

const includes = (reader: Scope) => sql`r.reader = any((${readerNamesOf(reader)})::text[])`;

/** The relation "shared with": whether the readers of a row include the reader. The row is of the reader's tenant. */
export const hasReader = {
  /** Of the task `t`, of a task above it, or of the conversation of one of them. */
  task: (reader: Scope): RawBuilder<boolean> => sql<boolean>`(
    exists (select from task_readers r where r.task_id = any(t.id || t.ancestors) and ${includes(reader)})
    or exists (select from conversation_readers r where r.conversation_id = t.conversation_id and ${includes(reader)})
    or t.parent_id is not null and exists (
      select from tasks first join conversation_readers r on r.conversation_id = first.conversation_id
      where first.id = t.ancestors[1] and ${includes(reader)}))`,

  /** Of the conversation `c`. */
  conversation: (reader: Scope): RawBuilder<boolean> => sql<boolean>`
    exists (select from conversation_readers r where r.conversation_id = c.id and ${includes(reader)})`,
};

const isShared = (reader: Scope) => sql`r.tenant = ${reader.tenant} and ${includes(reader)}`;

/**
 * The ids of what is shared with a reader, for lists. `limit` and `offset` make Postgres look each one up in an index:
 * it takes the names of a reader for more than they are.
 */
export const sharedIds = {
  tasks: (reader: Scope): RawBuilder<string> => sql<string>`
    select r.task_id from task_readers r where ${isShared(reader)}
    union
    select t.id from conversation_readers r
    cross join lateral (select c.subject from conversations c where c.id = r.conversation_id limit 1) c
    cross join lateral (
      select t.id from tasks t where t.tenant = r.tenant and t.subject = c.subject and t.conversation_id = r.conversation_id
      offset 0) t
    where ${isShared(reader)}`,

  conversations: (reader: Scope): RawBuilder<string> => sql<string>`
    select r.conversation_id from conversation_readers r where ${isShared(reader)}`,
};
