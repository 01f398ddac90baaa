-- Up Migration

-- How Alfred is set up in channels of Slack. Without a row: as everywhere.
CREATE TABLE slack_channels (
  team       text        NOT NULL,
  channel    text        NOT NULL,
  is_on      boolean     NOT NULL DEFAULT true,
  -- answers in new threads; null: SLACK_AGENT
  agent      text,
  -- who may ask; null: everyone
  user_ids   text[],
  -- the subject that changed it last
  changed_by text        NOT NULL,
  changed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (team, channel)
);

-- Down Migration

DROP TABLE slack_channels;
