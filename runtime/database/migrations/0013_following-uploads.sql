-- Up Migration

-- First, in the order in which the version before this one locks: documents, then the files of an upload.
ALTER TABLE documents
  ADD COLUMN notice text,
  ADD COLUMN origin text;

-- The events of an upload. Number 1 is its creation; each file that is settled takes the next number, and so does the end.
ALTER TABLE ingestions
  ADD COLUMN last_seq  integer NOT NULL DEFAULT 1,
  ADD COLUMN ended_seq integer,
  -- where the files come from, as the sender says; and whether they take the place of those from elsewhere
  ADD COLUMN origin    text,
  ADD COLUMN take_over boolean NOT NULL DEFAULT false;
ALTER TABLE ingestion_files
  ADD COLUMN seq        integer,
  ADD COLUMN settled_at timestamptz;

-- Files that were settled before get their numbers in migration 0014, a few uploads at a time: this one locks whole tables.
CREATE UNIQUE INDEX ingestion_files_seq ON ingestion_files (ingestion_id, seq) WHERE seq IS NOT NULL;

-- Triggers, so that the version before this one numbers its files too. The one of a file waits for the commit: its lock on
-- the upload's row is then the last one that a transaction takes, whatever it locked before.
CREATE FUNCTION ingestion_file_settled() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE number integer;
BEGIN
  UPDATE ingestions SET last_seq = last_seq + 1 WHERE id = NEW.ingestion_id RETURNING last_seq INTO number;
  UPDATE ingestion_files SET seq = number, settled_at = clock_timestamp()
    WHERE ingestion_id = NEW.ingestion_id AND ordinal = NEW.ordinal;
  PERFORM pg_notify('task_events', NEW.ingestion_id::text);
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER ingestion_file_settled AFTER UPDATE ON ingestion_files DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW WHEN (OLD.state = 'pending' AND NEW.state <> 'pending') EXECUTE FUNCTION ingestion_file_settled();
CREATE FUNCTION ingestion_ended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.last_seq = OLD.last_seq + 1;
  NEW.ended_seq = NEW.last_seq;
  PERFORM pg_notify('task_events', NEW.id::text || ' end');
  RETURN NEW;
END $$;
CREATE TRIGGER ingestion_ended BEFORE UPDATE ON ingestions
  FOR EACH ROW WHEN (OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL) EXECUTE FUNCTION ingestion_ended();

-- A callback belongs to a task or to an upload.
ALTER TABLE callbacks
  DROP CONSTRAINT callbacks_pkey,
  ALTER COLUMN task_id DROP NOT NULL,
  ADD CONSTRAINT callbacks_task UNIQUE (task_id),
  ADD COLUMN ingestion_id uuid UNIQUE REFERENCES ingestions ON DELETE CASCADE,
  ADD CONSTRAINT callbacks_owner CHECK (num_nonnulls(task_id, ingestion_id) = 1);

-- Down Migration

DELETE FROM callbacks WHERE task_id IS NULL;
ALTER TABLE callbacks
  DROP CONSTRAINT callbacks_owner,
  DROP COLUMN ingestion_id,
  DROP CONSTRAINT callbacks_task,
  ADD PRIMARY KEY (task_id);
DROP TRIGGER ingestion_ended ON ingestions;
DROP FUNCTION ingestion_ended;
DROP TRIGGER ingestion_file_settled ON ingestion_files;
DROP FUNCTION ingestion_file_settled;
DROP INDEX ingestion_files_seq;
ALTER TABLE documents DROP COLUMN notice, DROP COLUMN origin;
ALTER TABLE ingestion_files DROP COLUMN seq, DROP COLUMN settled_at;
ALTER TABLE ingestions DROP COLUMN last_seq, DROP COLUMN ended_seq, DROP COLUMN origin, DROP COLUMN take_over;
