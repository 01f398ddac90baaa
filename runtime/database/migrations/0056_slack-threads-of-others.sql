-- Up Migration

-- What was read elsewhere for a delivery, so that a repeat does the same with it. Content: null as soon as it is
-- processed.
ALTER TABLE slack_inbox ADD COLUMN kept jsonb;

-- The message with which Alfred began to take part: what was written before it is not for it, also when it comes later.
-- Null in threads from before.
ALTER TABLE slack_threads ADD COLUMN begun_ts text;

-- Down Migration

ALTER TABLE slack_threads DROP COLUMN begun_ts;
ALTER TABLE slack_inbox DROP COLUMN kept;
