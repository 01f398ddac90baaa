import { sql } from 'kysely';

/** The time so many days ago. */
export const daysAgo = (days: number) => sql<Date>`now() - ${days}::float8 * interval '1 day'`;

/** The condition that nothing has happened in the conversation `c` for so many days, and no message waits in it. */
export const isIdle = (days: number) => sql<boolean>`
  c.updated_at < ${daysAgo(days)}
  and not exists (select from conversation_messages m where m.conversation_id = c.id
    and m.state in ('received', 'queued', 'running', 'steering'))`;
