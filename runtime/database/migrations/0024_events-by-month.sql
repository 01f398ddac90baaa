-- Up Migration
-- Outside a transaction

-- `task_events` in parts by the month of the task, which its id tells: it is a UUIDv7. The table of before becomes the
-- first part, with all tasks up to a month that is still to come. The sweep makes the parts of later months.
--
-- One statement, which may be repeated: it commits as it goes, and a process may end in the middle.
DO $$
DECLARE
  -- The first month that begins in a week or later, and the least id in it: no task has one yet.
  month timestamp := date_trunc('month', now() AT TIME ZONE 'UTC' + interval '7 days') + interval '1 month';
  bound uuid := (lpad(to_hex((extract(epoch FROM month) * 1000)::bigint), 12, '0') || '70008000' || repeat('0', 12))::uuid;
  tomorrow uuid := (lpad(to_hex((extract(epoch FROM now() + interval '1 day') * 1000)::bigint), 12, '0')
    || '70008000' || repeat('0', 12))::uuid;
  validated uuid;
BEGIN
  -- For lists of approvals by status. Writers wait while it is built; the table has a row only where a person is asked.
  CREATE INDEX IF NOT EXISTS approvals_by_status ON approvals (tenant, status, id);
  COMMIT;

  IF (SELECT relkind = 'p' FROM pg_class WHERE oid = 'task_events'::regclass) THEN RETURN; END IF;

  -- Rows of ids from elsewhere, and of tasks that a clock far ahead has named, belong to no month.
  CREATE TABLE IF NOT EXISTS task_events_default (LIKE task_events INCLUDING ALL);
  -- An earlier attempt may have read the table already, and then have got no lock.
  SELECT (regexp_match(pg_get_constraintdef(oid), '''([0-9a-f-]{36})'''))[1]::uuid INTO validated FROM pg_constraint
    WHERE conrelid = 'task_events'::regclass AND conname = 'task_events_first' AND convalidated;
  IF validated > tomorrow THEN
    bound := validated;
  ELSE
    -- Not looked at for rows that are there: that would lock out writers meanwhile.
    EXECUTE format('ALTER TABLE task_events DROP CONSTRAINT IF EXISTS task_events_first,
      ADD CONSTRAINT task_events_first CHECK (task_id < %L) NOT VALID', bound);
    COMMIT;
    WITH moved AS (DELETE FROM task_events WHERE task_id >= bound RETURNING *)
      INSERT INTO task_events_default SELECT * FROM moved;
    -- What an attempt of an earlier month has moved. Its task may have been deleted.
    WITH moved AS (DELETE FROM task_events_default WHERE task_id < bound RETURNING *)
      INSERT INTO task_events SELECT * FROM moved WHERE EXISTS (SELECT FROM tasks WHERE id = moved.task_id);
    COMMIT;
    ALTER TABLE task_events VALIDATE CONSTRAINT task_events_first;
    COMMIT;
  END IF;

  -- What follows reads no rows: the constraint says that they fit, and index and foreign key are taken over.
  -- `tasks` first, as all transactions do.
  LOCK TABLE tasks IN SHARE ROW EXCLUSIVE MODE;
  LOCK TABLE task_events IN ACCESS EXCLUSIVE MODE;
  ALTER TABLE task_events RENAME TO task_events_first;
  ALTER INDEX task_events_pkey RENAME TO task_events_first_pkey;
  CREATE TABLE task_events (
    LIKE task_events_first INCLUDING DEFAULTS INCLUDING STORAGE INCLUDING COMPRESSION,
    PRIMARY KEY (task_id, seq),
    FOREIGN KEY (task_id) REFERENCES tasks ON DELETE CASCADE
  ) PARTITION BY RANGE (task_id);
  EXECUTE format('ALTER TABLE task_events ATTACH PARTITION task_events_first FOR VALUES FROM (MINVALUE) TO (%L)', bound);
  ALTER TABLE task_events ATTACH PARTITION task_events_default DEFAULT;
  ALTER TABLE task_events_first DROP CONSTRAINT task_events_first;
  COMMIT;
END $$;

-- Down Migration

-- The first part becomes the table again, and takes the rows of the others.
DO $$
BEGIN
  LOCK TABLE tasks IN SHARE ROW EXCLUSIVE MODE;
  LOCK TABLE task_events IN ACCESS EXCLUSIVE MODE;
  -- The sweep may have dropped it.
  IF to_regclass('task_events_first') IS NULL THEN
    CREATE TABLE task_events_first (LIKE task_events INCLUDING ALL);
    ALTER TABLE task_events_first
      ADD CONSTRAINT task_events_task_id_fkey FOREIGN KEY (task_id) REFERENCES tasks ON DELETE CASCADE;
  ELSE
    ALTER TABLE task_events DETACH PARTITION task_events_first;
  END IF;
  INSERT INTO task_events_first SELECT * FROM task_events;
  DROP TABLE task_events;
  ALTER TABLE task_events_first RENAME TO task_events;
  ALTER INDEX task_events_first_pkey RENAME TO task_events_pkey;
  DROP INDEX approvals_by_status;
END $$;
