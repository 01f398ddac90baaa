import { sql } from 'kysely';
import type { Queries } from '../with-queries.ts';

/**
 * Queries that fold the streamed text of a task: pieces whose numbers follow each other become one row, in the task and
 * in its conversation. `task` is the changed row of the statement. The row of the last piece keeps the whole text, and
 * in `piece_ends` where each piece ends, so that `expandPieces` can give every piece with its number to readers.
 *
 * The statement does not see pieces that it appends itself. A piece that an earlier version wrote has no
 * `conversation_seq` and stays as it is.
 */
export const foldText = (taskId: string): Queries => ({
  pieces: sql`
    select e.seq, e.conversation_seq, e.data->>'text' as text, e.data->'step' as step, e.data->'attempt' as attempt,
      e.seq - row_number() over (order by e.seq) as run,
      e.conversation_seq - row_number() over (order by e.seq) as conversation_run
    from task_events e join task on task.id = e.task_id
    where e.task_id = ${taskId}::uuid and e.type = 'text.delta' and e.piece_ends is null
      and (task.conversation_id is null or e.conversation_seq is not null)`,
  piece_ends: sql`
    select seq, conversation_seq, text, step, attempt, run, conversation_run,
      sum(length(text)) over (partition by step, attempt, run, conversation_run order by seq)::int as piece_end
    from pieces`,
  folds: sql`
    select min(seq) as first, max(seq) as last, min(conversation_seq) as conversation_first,
      max(conversation_seq) as conversation_last, string_agg(text, '' order by seq) as text,
      array_agg(piece_end order by seq) as piece_ends
    from piece_ends group by step, attempt, run, conversation_run having count(*) > 1`,
  folded: sql`
    update task_events e set data = jsonb_set(e.data, '{text}', to_jsonb(f.text)), piece_ends = f.piece_ends
    from folds f where e.task_id = ${taskId}::uuid and e.seq = f.last`,
  removed: sql`
    delete from task_events e using folds f where e.task_id = ${taskId}::uuid and e.seq >= f.first and e.seq < f.last`,
  removed_mirrors: sql`
    delete from conversation_events c using folds f, task
    where c.conversation_id = task.conversation_id and c.seq >= f.conversation_first and c.seq < f.conversation_last`,
});

type EventRow = { seq: number; data: unknown };

/**
 * The events that a row stands for: itself, or each piece of a folded text with its own number.
 *
 * @param row       `seq` is the number of its last piece
 * @param pieceEnds where each piece ends, in characters from the begin of the text; null: the row is one event
 * @param after     pieces up to this number are left out
 */
export function expandPieces<Row extends EventRow>(row: Row, pieceEnds: number[] | null, after: number): Row[] {
  if (!pieceEnds) return [row];
  const data = row.data as { text: string };
  // Postgres counts characters; a JavaScript string counts two units for those beyond the basic plane.
  const characters = /[\ud800-\udfff]/.test(data.text) ? Array.from(data.text) : data.text;
  const textOf = (from: number, to: number) => {
    const part = characters.slice(from, to);
    return typeof part === 'string' ? part : part.join('');
  };
  const first = row.seq - pieceEnds.length + 1;
  return pieceEnds.flatMap((end, index) =>
    first + index > after
      ? [{ ...row, seq: first + index, data: { ...data, text: textOf(pieceEnds[index - 1] ?? 0, end) } }]
      : [],
  );
}
