-- Up Migration
-- Outside a transaction

-- `inserted_at`: when the row came. `created_at` of a message's task is the time of its message. Rows of before have
-- none. `priority`: what its request or conversation names, for a start from the row.
ALTER TABLE tasks ADD COLUMN IF NOT EXISTS inserted_at timestamptz, ADD COLUMN IF NOT EXISTS priority smallint;
ALTER TABLE tasks ALTER COLUMN inserted_at SET DEFAULT now();

-- The `updated_at` that Temporal has. The sweep sends the schedules whose row has another one; the version before sets none.
ALTER TABLE schedules ADD COLUMN IF NOT EXISTS temporal_at timestamptz;

-- Down Migration

ALTER TABLE tasks DROP COLUMN inserted_at, DROP COLUMN priority;
ALTER TABLE schedules DROP COLUMN temporal_at;
