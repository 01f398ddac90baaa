-- Up Migration

-- What is asked again and again. When is Temporal's to know (its schedule has the same id); what, is here.
CREATE TABLE schedules (
  id              uuid        PRIMARY KEY,
  tenant          text        NOT NULL,
  subject         text        NOT NULL,
  roles           text[]      NOT NULL DEFAULT '{}',
  name            text        NOT NULL,
  -- when: cron or interval, time zone, jitter; and the policies for overlap and catching up
  timing          jsonb       NOT NULL,
  -- what: a task, or a message in a conversation
  action          jsonb       NOT NULL,
  paused          boolean     NOT NULL DEFAULT false,
  note            text,
  idempotency_key text,
  request_hash    text        NOT NULL,
  created_at      timestamptz NOT NULL DEFAULT now(),
  updated_at      timestamptz NOT NULL DEFAULT now(),
  deleted_at      timestamptz
);
CREATE UNIQUE INDEX schedules_idempotency ON schedules (tenant, subject, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX schedules_newest ON schedules (tenant, subject, id);

-- One row a run; `key` comes from Temporal, so that a repeat finds it.
CREATE TABLE schedule_runs (
  schedule_id     uuid        NOT NULL REFERENCES schedules ON DELETE CASCADE,
  key             text        NOT NULL,
  task_id         uuid,
  conversation_id text,
  message_id      text,
  error_code      text,
  error_message   text,
  started_at      timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (schedule_id, key)
);
CREATE INDEX schedule_runs_newest ON schedule_runs (schedule_id, started_at);

-- Down Migration

DROP TABLE schedule_runs, schedules;
