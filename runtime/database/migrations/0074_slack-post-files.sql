-- Up Migration

-- What has become of each file of a task in Slack, so that none is uploaded twice.
ALTER TABLE slack_posts ADD COLUMN files jsonb NOT NULL DEFAULT '[]';

-- Down Migration

ALTER TABLE slack_posts DROP COLUMN files;
