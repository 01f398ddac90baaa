-- Up Migration

-- First, because every transaction that uses several of these tables locks the task first.
-- A task that is to be erased as soon as it has ended.
ALTER TABLE tasks ADD COLUMN erase_requested_at timestamptz;

-- Streamed text is folded when its step settles: the row of the last piece keeps the text of all, and where each ends.
ALTER TABLE task_events
  -- its number in the conversation, if the task belongs to one
  ADD COLUMN conversation_seq integer,
  -- in characters from the begin of the text; null: the row is one event
  ADD COLUMN piece_ends integer[];

-- What a person said when deciding, as contents: they are removed with the task.
ALTER TABLE approvals ADD COLUMN note_hashes text[] NOT NULL DEFAULT '{}';

-- Down Migration

-- The version before reads every row as one event: the pieces of folded texts get their rows back.
INSERT INTO task_events (task_id, seq, at, type, data)
  SELECT e.task_id, e.seq - cardinality(e.piece_ends) + n.ordinality::int, e.at, e.type, jsonb_set(e.data, '{text}',
    to_jsonb(substr(e.data->>'text', coalesce(e.piece_ends[n.ordinality - 1], 0) + 1, n.piece_end - coalesce(e.piece_ends[n.ordinality - 1], 0))))
  FROM task_events e, unnest(e.piece_ends) WITH ORDINALITY AS n (piece_end, ordinality)
  WHERE n.ordinality < cardinality(e.piece_ends);
INSERT INTO conversation_events (conversation_id, seq, at, task_id, task_seq)
  SELECT c.conversation_id, c.seq - n, c.at, c.task_id, c.task_seq - n
  FROM task_events e JOIN tasks t ON t.id = e.task_id
  JOIN conversation_events c ON c.conversation_id = t.conversation_id AND c.seq = e.conversation_seq AND c.task_id = e.task_id,
    generate_series(1, cardinality(e.piece_ends) - 1) n;
UPDATE task_events SET data = jsonb_set(data, '{text}', to_jsonb(substr(data->>'text', coalesce(piece_ends[cardinality(piece_ends) - 1], 0) + 1)))
  WHERE piece_ends IS NOT NULL;
ALTER TABLE tasks DROP COLUMN erase_requested_at;
ALTER TABLE approvals DROP COLUMN note_hashes;
ALTER TABLE task_events DROP COLUMN conversation_seq, DROP COLUMN piece_ends;
