-- Up Migration

-- How Alfred is set up in channels of Slack. Without a row: as everywhere.
CREATE TABLE slack_channels (
  -- of the people of the workspace: with another one it is set up again
  tenant       text        NOT NULL,
  team         text        NOT NULL,
  channel      text        NOT NULL,
  is_on        boolean     NOT NULL DEFAULT true,
  -- answers in new threads; null: SLACK_AGENT
  agent        text,
  -- who may ask; null: everyone
  user_ids     text[],
  -- what its conversations add to the instructions of their agents
  instructions text,
  -- the subject that changed it last
  changed_by   text        NOT NULL,
  changed_at   timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant, team, channel)
);

-- What tasks of a conversation add to the instructions of its agent. It never changes: each attempt reads the same.
ALTER TABLE conversations ADD COLUMN instructions text;

-- Down Migration

ALTER TABLE conversations DROP COLUMN instructions;
DROP TABLE slack_channels;
