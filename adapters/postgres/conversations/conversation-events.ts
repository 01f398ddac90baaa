import { sql } from 'kysely';
import type { ConversationEvent, NewConversationEvent } from '../../../contract/conversation.ts';
import { taskEventsChannel } from '../../../contract/ids.ts';
import type { Scope } from '../../../contract/references.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { ConversationEvents } from '../../../contract/ports/index.ts';
import type { EventListener } from '../event-listener.ts';
import { followRows } from '../follow-rows.ts';
import { expandPieces } from '../tasks/fold-text.ts';
import { storableJson } from '../storable-json.ts';

/** An event of the conversation itself, or a reference to an event of one of its tasks. */
type EventToAppend = NewConversationEvent | { taskId: string; taskSeq: number };

/**
 * Appends events to a conversation. The update locks the conversation's
 * row until the transaction ends, so that sequence numbers have no gaps.
 */
export async function appendConversationEvents(db: Database, conversationId: string, events: EventToAppend[]) {
  if (events.length === 0) return;
  const ownEvents = events.map((event) => ('type' in event ? event : undefined));
  const taskEvents = events.map((event) => ('type' in event ? undefined : event));
  await sql`
    with conversation as (
      update conversations set last_seq = last_seq + ${events.length}::int, updated_at = now()
      where id = ${conversationId} returning id, last_seq
    ), appended as (
      insert into conversation_events (conversation_id, seq, type, data, task_id, task_seq)
      select c.id, c.last_seq - ${events.length}::int + e.n, e.type, e.data, e.task_id, e.task_seq
      from conversation c, unnest(
        ${ownEvents.map((event) => event?.type ?? null)}::text[],
        ${ownEvents.map((event) => (event ? storableJson(event.data) : null))}::jsonb[],
        ${taskEvents.map((event) => event?.taskId ?? null)}::uuid[],
        ${taskEvents.map((event) => event?.taskSeq ?? null)}::int[]
      ) with ordinality as e (type, data, task_id, task_seq, n)
    )
    select pg_notify(${taskEventsChannel}, id) from conversation`.execute(db);
}

/** Events of conversations and of their tasks, as rows. */
export const createConversationEvents = (db: Database, listener: EventListener): ConversationEvents => {
  const read = async ({ tenant, subject }: Scope, conversationId: string, after: number, limit: number) => {
    const rows = await db
      .selectFrom('conversation_events as e')
      .innerJoin('conversations as c', 'c.id', 'e.conversation_id')
      .leftJoin('task_events as t', (join) =>
        join.onRef('t.task_id', '=', 'e.task_id').onRef('t.seq', '=', 'e.task_seq'),
      )
      .select(['e.seq', 'e.at', 'e.task_id', 'e.task_seq', 'e.type', 'e.data'])
      .select(['t.at as task_at', 't.type as task_type', 't.data as task_data', 't.piece_ends'])
      .where('c.tenant', '=', tenant)
      .where('c.subject', '=', subject)
      .where('e.conversation_id', '=', conversationId)
      .where('e.seq', '>', after)
      // Of a deleted conversation, the events of its tasks are removed before those that stand for them.
      .where((is) => is.or([is('e.task_id', 'is', null), is('t.seq', 'is not', null)]))
      .orderBy('e.seq')
      .limit(limit)
      .execute();
    return rows
      .flatMap(({ seq, piece_ends: ends, ...row }) =>
        expandPieces({ ...row, seq, data: row.task_id === null ? row.data : row.task_data }, ends, after).map(
          (event) => ({
            ...event,
            // The numbers of folded pieces follow each other in both, so their distance to the last piece is the same.
            task_seq: row.task_seq === null ? null : row.task_seq - (seq - event.seq),
          }),
        ),
      )
      .slice(0, limit)
      .map(toConversationEvent);
  };

  return {
    read,

    async *follow(scope, conversationId, after, signal) {
      let lastSeq = after;
      const pages = followRows(listener, {
        id: conversationId,
        after,
        signal,
        read: (from, limit) => read(scope, conversationId, from, limit),
        isLast: isDeletion,
        isOver: async () => {
          const row = await db
            .selectFrom('conversations')
            .select('deleted_at')
            .where('id', '=', conversationId)
            .executeTakeFirst();
          return !row || row.deleted_at !== null;
        },
      });
      for await (const events of pages) {
        // The end of a task that still ran comes later.
        const deletion = events.findIndex(isDeletion);
        if (deletion >= 0) {
          yield events.slice(0, deletion + 1);
          return;
        }
        yield events;
        lastSeq = events.at(-1)?.seq ?? lastSeq;
      }
      // The rows may be erased before the last event is read: it is made again then.
      if (!signal.aborted)
        yield [{ seq: lastSeq + 1, at: new Date().toISOString(), type: 'conversation.deleted', data: {} }];
    },
  };
};

const isDeletion = ({ type }: ConversationEvent) => type === 'conversation.deleted';

type EventRow = {
  seq: number;
  at: Date;
  task_at: Date | null;
  task_id: string | null;
  task_seq: number | null;
  type: string | null;
  task_type: string | null;
  data: unknown;
};

function toConversationEvent({ seq, data, ...row }: EventRow): ConversationEvent {
  const at = (row.task_at ?? row.at).toISOString();
  const event =
    row.task_id === null
      ? { seq, at, type: row.type, data }
      : { seq, at, type: row.task_type, data, taskId: row.task_id, taskSeq: row.task_seq };
  return event as ConversationEvent;
}
