-- Up Migration

-- Why a task ended without an answer (`budget`); the status of its row stays `completed`, which the version before this one
-- reads. Rows from before keep null.
ALTER TABLE tasks ADD COLUMN incomplete text;

-- Down Migration

ALTER TABLE tasks DROP COLUMN incomplete;
