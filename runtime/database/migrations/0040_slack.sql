-- Up Migration

-- What Slack has sent, stored before it is acknowledged. The key finds repeats.
CREATE TABLE slack_inbox (
  key          text        PRIMARY KEY,
  kind         text        NOT NULL CHECK (kind IN ('event', 'interactive', 'command')),
  team         text        NOT NULL,
  -- one delivery of a lane is processed at a time, in the order of `position`
  lane         text        NOT NULL,
  position     bigint      GENERATED ALWAYS AS IDENTITY,
  -- null as soon as it is processed: it is content
  body         jsonb,
  attempts     integer     NOT NULL DEFAULT 0,
  due_at       timestamptz NOT NULL DEFAULT now(),
  -- the process that works on it, until when
  owner        text,
  leased_until timestamptz,
  received_at  timestamptz NOT NULL DEFAULT now(),
  completed_at timestamptz
);
CREATE UNIQUE INDEX slack_inbox_one_in_lane ON slack_inbox (lane) WHERE owner IS NOT NULL;
CREATE INDEX slack_inbox_open ON slack_inbox (lane, position) WHERE completed_at IS NULL;
CREATE INDEX slack_inbox_waiting ON slack_inbox (position) WHERE completed_at IS NULL;
CREATE INDEX slack_inbox_completed ON slack_inbox (completed_at) WHERE completed_at IS NOT NULL;

-- Threads that are conversations.
CREATE TABLE slack_threads (
  team            text NOT NULL,
  channel         text NOT NULL,
  thread_ts       text NOT NULL,
  tenant          text NOT NULL,
  subject         text NOT NULL,
  conversation_id text NOT NULL,
  agent           text NOT NULL,
  created_at      timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (team, channel, thread_ts)
);
CREATE INDEX slack_threads_by_conversation ON slack_threads (conversation_id);

-- What Slack shows of tasks: ids and timestamps, no content.
CREATE TABLE slack_posts (
  id           uuid        PRIMARY KEY,
  task_id      uuid        NOT NULL UNIQUE,
  tenant       text        NOT NULL,
  subject      text        NOT NULL,
  agent        text        NOT NULL,
  team         text        NOT NULL,
  channel      text        NOT NULL,
  thread_ts    text        NOT NULL,
  -- who asked, with which message
  user_id      text        NOT NULL,
  question_ts  text        NOT NULL,
  -- `SlackPostMessage` of contract/ports/slack.ts
  messages     jsonb       NOT NULL DEFAULT '[]',
  -- number of the newest task event when the messages were stored
  seq          integer     NOT NULL DEFAULT 0,
  attempts     integer     NOT NULL DEFAULT 0,
  due_at       timestamptz NOT NULL DEFAULT now(),
  owner        text,
  leased_until timestamptz,
  created_at   timestamptz NOT NULL DEFAULT now(),
  finished_at  timestamptz
);
CREATE INDEX slack_posts_open ON slack_posts (team, (attempts > 0), due_at) WHERE finished_at IS NULL;
CREATE INDEX slack_posts_by_owner ON slack_posts (owner) WHERE owner IS NOT NULL;
CREATE INDEX slack_posts_of_thread ON slack_posts (team, channel, thread_ts);
CREATE INDEX slack_posts_finished ON slack_posts (finished_at) WHERE finished_at IS NOT NULL;

-- Which subject a Slack user is. Without a row: one of its own, with the least role.
CREATE TABLE slack_links (
  team      text NOT NULL,
  user_id   text NOT NULL,
  tenant    text NOT NULL,
  subject   text NOT NULL,
  linked_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (team, user_id)
);

-- Down Migration

DROP TABLE slack_links, slack_posts, slack_threads, slack_inbox;
