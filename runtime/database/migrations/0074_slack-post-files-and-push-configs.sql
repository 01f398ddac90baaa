-- Up Migration
-- Outside a transaction

-- What has become of each file of a task in Slack, so that none is uploaded twice.
ALTER TABLE slack_posts ADD COLUMN IF NOT EXISTS files jsonb NOT NULL DEFAULT '[]';

-- The name of a callback in the form of A2A. Its secret is then JSON: what proves to the receiver who calls.
ALTER TABLE callbacks ADD COLUMN IF NOT EXISTS push_id text;

-- Down Migration

-- The version before would sign these with what is no secret of its form.
DELETE FROM callbacks WHERE push_id IS NOT NULL;
ALTER TABLE callbacks DROP COLUMN push_id;
ALTER TABLE slack_posts DROP COLUMN files;
