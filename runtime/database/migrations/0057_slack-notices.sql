-- Up Migration
-- Outside a transaction

ALTER TABLE slack_notification_causes
  -- a run of a schedule that could not begin has none
  ALTER COLUMN task_id DROP NOT NULL,
  ADD COLUMN IF NOT EXISTS schedule_id uuid,
  ADD COLUMN IF NOT EXISTS run_key text;

-- Why the channel took it not, the last time: Slack's name of the error, or ours.
ALTER TABLE slack_notifications ADD COLUMN IF NOT EXISTS code text;

-- The Slack users of a person.
DROP INDEX CONCURRENTLY IF EXISTS slack_links_of_subject;
CREATE INDEX CONCURRENTLY slack_links_of_subject ON slack_links (tenant, subject, team);

-- Down Migration

DROP INDEX slack_links_of_subject;
ALTER TABLE slack_notifications DROP COLUMN code;
DELETE FROM slack_notifications WHERE kind = 'run';
ALTER TABLE slack_notification_causes
  ALTER COLUMN task_id SET NOT NULL,
  DROP COLUMN schedule_id,
  DROP COLUMN run_key;
