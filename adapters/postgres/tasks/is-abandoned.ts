import { sql } from 'kysely';

/**
 * Whether no task will read the answer of task `t`: one above it has ended, or its cancellation was asked for. Nothing
 * new is begun then, and the sweep ends what runs.
 */
export const isAbandoned = sql<boolean>`(t.parent_id is not null and exists (
  select from tasks a where a.id = any(t.ancestors) and (a.ended_at is not null or a.cancel_request is not null)))`;
