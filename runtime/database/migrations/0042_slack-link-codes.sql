-- Up Migration

-- Slack users who ask to be linked with a sign-in. The address is used up when `code_hash` is null: then `subject` has
-- confirmed, and the Slack user brings the digits that it was shown.
CREATE TABLE slack_link_codes (
  team        text        NOT NULL,
  user_id     text        NOT NULL,
  -- whose people this workspace has
  tenant      text        NOT NULL,
  -- as the page names them
  user_name   text        NOT NULL,
  workspace   text        NOT NULL,
  code_hash   bytea       UNIQUE,
  subject     text,
  digits_hash bytea,
  wrong       integer     NOT NULL DEFAULT 0,
  expires_at  timestamptz NOT NULL,
  PRIMARY KEY (team, user_id)
);

-- Down Migration

DROP TABLE slack_link_codes;
