-- Up Migration

-- What people asked Alfred to remember. With a group it is read by the members that the group has at the moment.
ALTER TABLE tasks ADD COLUMN memories uuid[];

CREATE TABLE memories (
  id              uuid        PRIMARY KEY,
  tenant          text        NOT NULL,
  -- who asked for it
  subject         text        NOT NULL,
  group_name      text,
  text            text        NOT NULL,
  -- how it came: a way of signing in, and the task in which a model was asked for it
  via             text        NOT NULL,
  task_id         uuid,
  conversation_id text,
  idempotency_key text,
  request_hash    text        NOT NULL,
  created_at      timestamptz NOT NULL DEFAULT now(),
  expires_at      timestamptz NOT NULL
);
CREATE UNIQUE INDEX memories_by_key ON memories (tenant, subject, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX memories_of_subject ON memories (tenant, subject, id);
CREATE INDEX memories_of_group ON memories (tenant, group_name, id) WHERE group_name IS NOT NULL;
CREATE INDEX memories_by_expiry ON memories (expires_at);

-- Down Migration

DROP TABLE memories;
ALTER TABLE tasks DROP COLUMN memories;
