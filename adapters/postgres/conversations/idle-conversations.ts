import { sql } from 'kysely';

/** The condition that nothing has happened in the conversation `c` for so many days, and no message waits in it. */
export const isIdle = (days: number) => sql<boolean>`
  c.updated_at < now() - ${days}::float8 * interval '1 day'
  and not exists (select from conversation_messages m where m.conversation_id = c.id
    and m.state in ('received', 'queued', 'running', 'steering'))`;
