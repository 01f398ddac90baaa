import { sql } from 'kysely';
import type { CancelNote } from '../../../contract/ports/index.ts';

/**
 * The value of a column with cancel notes after another note: a later plain cancel or stop takes neither the undo nor
 * the reason away.
 */
export const addCancelNote = (column: 'cancel_request' | 'stop_request', { undo, ...note }: CancelNote) =>
  sql<string>`coalesce(${sql.ref(column)}, '{}'::jsonb) || ${JSON.stringify(undo ? { ...note, undo } : note)}::jsonb`;
