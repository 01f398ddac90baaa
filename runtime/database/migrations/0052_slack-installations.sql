-- Up Migration

-- Workspaces that have installed Alfred by OAuth. `pending`: no operator has let it in; `ended`: removed here or there.
CREATE TABLE slack_installations (
  team         text        PRIMARY KEY,
  name         text        NOT NULL,
  state        text        NOT NULL CHECK (state IN ('pending', 'allowed', 'ended')),
  -- whose documents its people may read
  tenant       text,
  bot_id       text        NOT NULL,
  bot_user_id  text        NOT NULL,
  -- the Slack user who installed it
  installed_by text        NOT NULL,
  -- the bot token, encrypted with SLACK_INSTALLATION_KEY: without the key, and in another row, it opens nothing
  token        bytea,
  -- which key
  key_id       text,
  installed_at timestamptz NOT NULL DEFAULT now(),
  allowed_at   timestamptz,
  ended_at     timestamptz,
  CHECK (state <> 'allowed' OR tenant IS NOT NULL),
  CHECK ((state = 'ended') = (token IS NULL))
);

-- Installations that came back from Slack: each begins in a browser, and counts once.
CREATE TABLE slack_install_states (
  hash       bytea       PRIMARY KEY,
  expires_at timestamptz NOT NULL
);

-- Down Migration

DROP TABLE slack_install_states, slack_installations;
