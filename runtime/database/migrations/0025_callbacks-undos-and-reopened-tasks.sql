-- Up Migration
-- Outside a transaction

-- Since when the receiver of the present delivery has failed, without the time in which it was not asked.
ALTER TABLE callbacks ADD COLUMN IF NOT EXISTS failing_since timestamptz;

-- A worker of the version before reopens a task without clearing `incomplete`, and the answer would be called incomplete.
CREATE OR REPLACE FUNCTION task_reopened() RETURNS trigger LANGUAGE plpgsql AS
  'BEGIN NEW.incomplete := NULL; RETURN NEW; END';
CREATE OR REPLACE TRIGGER task_reopened BEFORE UPDATE OF ended_at ON tasks
  FOR EACH ROW WHEN (OLD.ended_at IS NOT NULL AND NEW.ended_at IS NULL) EXECUTE FUNCTION task_reopened();

-- Undos that were asked for and have not ended: the sweep goes on with those that no workflow brings to their end.
DROP INDEX CONCURRENTLY IF EXISTS tool_calls_undo_begun;
CREATE INDEX CONCURRENTLY tool_calls_undo_begun ON tool_calls (task_id) WHERE undo_state = 'begun';

-- Down Migration

DROP TRIGGER task_reopened ON tasks;
DROP FUNCTION task_reopened();
DROP INDEX tool_calls_undo_begun;
ALTER TABLE callbacks DROP COLUMN failing_since;
