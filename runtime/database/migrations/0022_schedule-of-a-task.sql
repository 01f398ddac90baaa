-- Up Migration

-- The schedule whose run created the task, also through a message of a conversation. Tasks of before have none. There is
-- no foreign key: a schedule that is removed takes no task with it.
ALTER TABLE tasks ADD COLUMN schedule_id uuid;

-- Down Migration

ALTER TABLE tasks DROP COLUMN schedule_id;
