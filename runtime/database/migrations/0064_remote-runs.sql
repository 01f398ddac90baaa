-- Up Migration

-- The run of a task at an agent that works elsewhere. The row comes before the request, so that a worker that ends
-- between the two leaves a trace of what may have begun there. Its ids say nothing of what was asked.
CREATE TABLE remote_runs (
  task_id    uuid PRIMARY KEY REFERENCES tasks ON DELETE CASCADE,
  url        text NOT NULL,
  call_id    uuid NOT NULL,
  -- The run of the workflow that began it: a later one, after a reset, may begin again what has ended.
  run_id     text NOT NULL,
  state      text NOT NULL CHECK (state IN ('begun', 'sending', 'running', 'ended')),
  remote_id  text,
  context_id text,
  asks       boolean NOT NULL DEFAULT false,
  sent_at    timestamptz,
  created_at timestamptz NOT NULL DEFAULT now()
);

-- Down Migration

DROP TABLE remote_runs;
