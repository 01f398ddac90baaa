-- Up Migration

-- Who is told when a task ends. The secret signs what is sent and is never shown.
CREATE TABLE callbacks (
  task_id         uuid        PRIMARY KEY REFERENCES tasks ON DELETE CASCADE,
  tenant          text        NOT NULL,
  subject         text        NOT NULL,
  url             text        NOT NULL,
  secret          text        NOT NULL,
  state           text        NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivering', 'delivered', 'failed')),
  -- deliveries begun: the first one and every repeat on request
  deliveries      integer     NOT NULL DEFAULT 0,
  attempts        integer     NOT NULL DEFAULT 0,
  last_attempt_at timestamptz,
  last_status     integer,
  last_error      text,
  delivered_at    timestamptz,
  created_at      timestamptz NOT NULL DEFAULT now(),
  updated_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX callbacks_waiting ON callbacks (updated_at) WHERE state IN ('waiting', 'delivering');

-- Down Migration

DROP TABLE callbacks;
