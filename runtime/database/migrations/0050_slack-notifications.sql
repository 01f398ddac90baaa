-- Up Migration
-- Outside a transaction

-- Messages that Alfred posts to a channel without being asked there: ids and timestamps, no content.
CREATE TABLE IF NOT EXISTS slack_notifications (
  id           uuid        PRIMARY KEY,
  kind         text        NOT NULL,
  tenant       text        NOT NULL,
  team         text        NOT NULL,
  channel      text        NOT NULL,
  -- `SlackPostMessage` of contract/ports/slack.ts
  messages     jsonb       NOT NULL DEFAULT '[]',
  attempts     integer     NOT NULL DEFAULT 0,
  due_at       timestamptz NOT NULL DEFAULT now(),
  -- the process that works on it, until when
  owner        text,
  leased_until timestamptz,
  created_at   timestamptz NOT NULL DEFAULT now(),
  -- since when it is to be shown as it is
  changed_at   timestamptz NOT NULL DEFAULT now(),
  finished_at  timestamptz
);
CREATE INDEX IF NOT EXISTS slack_notifications_open ON slack_notifications (team, due_at) WHERE finished_at IS NULL;
CREATE INDEX IF NOT EXISTS slack_notifications_by_creation ON slack_notifications (created_at);

-- Why: one row a cause, so that a cause is posted once.
CREATE TABLE IF NOT EXISTS slack_notification_causes (
  -- `failed:<task>:<run>`, `approval:<approval>`, `escalation:<approval>`
  receipt         text NOT NULL PRIMARY KEY,
  notification_id uuid NOT NULL REFERENCES slack_notifications ON DELETE CASCADE,
  task_id         uuid NOT NULL,
  approval_id     uuid
);
CREATE INDEX IF NOT EXISTS slack_notification_causes_of ON slack_notification_causes (notification_id);

-- What has failed lately.
DROP INDEX CONCURRENTLY IF EXISTS tasks_failed;
CREATE INDEX CONCURRENTLY tasks_failed ON tasks (tenant, ended_at) WHERE status = 'failed';

-- Where the answer of a run is to be posted. Null also when that is done.
ALTER TABLE schedule_runs ADD COLUMN IF NOT EXISTS slack_channel text;
DROP INDEX CONCURRENTLY IF EXISTS schedule_runs_to_post;
CREATE INDEX CONCURRENTLY schedule_runs_to_post ON schedule_runs (started_at) WHERE slack_channel IS NOT NULL;

-- Down Migration

ALTER TABLE schedule_runs DROP COLUMN slack_channel;

DROP TABLE slack_notification_causes, slack_notifications;
DROP INDEX tasks_failed;
