-- Up Migration

-- What people have deleted in Slack: no document comes of it, also when its reading ends later. Empty: a message with
-- all its files has no file here, and a file that is gone everywhere has no channel and no message.
CREATE TABLE slack_removals (
  channel    text        NOT NULL,
  ts         text        NOT NULL,
  file_id    text        NOT NULL,
  removed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (channel, ts, file_id)
);
CREATE INDEX slack_removals_by_time ON slack_removals (removed_at);

ALTER TABLE slack_files
  -- Slack's; null for files from before
  ADD COLUMN file_id      text,
  -- the upload that reads it
  ADD COLUMN ingestion_id uuid,
  ADD COLUMN begun_at     timestamptz NOT NULL DEFAULT now(),
  -- what came of it is known
  ADD COLUMN is_settled   boolean     NOT NULL DEFAULT true,
  -- it was deleted in Slack
  ADD COLUMN removed_at   timestamptz;
CREATE INDEX slack_files_of_message ON slack_files (channel, ts);
CREATE INDEX slack_files_by_file ON slack_files (file_id) WHERE file_id IS NOT NULL;
CREATE INDEX slack_files_removed ON slack_files (removed_at) WHERE removed_at IS NOT NULL;

-- Down Migration

DROP INDEX slack_files_of_message;
ALTER TABLE slack_files
  DROP COLUMN file_id, DROP COLUMN ingestion_id, DROP COLUMN begun_at, DROP COLUMN is_settled, DROP COLUMN removed_at;
DROP TABLE slack_removals;
