-- Up Migration

-- A row for every attempt at a model call, from before it starts. While it is open its tokens and cost are the worst
-- case, so that a crash never hides spending; `lost` keeps them until the attempt is heard of again, if it ever is.
ALTER TABLE model_calls
  ADD COLUMN call_id uuid,
  ADD COLUMN purpose text NOT NULL DEFAULT 'turn',
  ADD COLUMN tenant text NOT NULL DEFAULT 'local',
  ADD COLUMN agent text NOT NULL DEFAULT 'knowledge',
  -- the budgets this call draws on
  ADD COLUMN budgets text[] NOT NULL DEFAULT '{}',
  ADD COLUMN ended_at timestamptz;
ALTER TABLE model_calls
  ALTER COLUMN tenant DROP DEFAULT,
  ALTER COLUMN agent DROP DEFAULT;
CREATE UNIQUE INDEX model_calls_call ON model_calls (call_id);
DROP INDEX model_calls_paid_once;
CREATE UNIQUE INDEX model_calls_paid_once ON model_calls (task_id, step, purpose) WHERE outcome = 'completed';
DROP INDEX model_calls_task;
CREATE INDEX model_calls_task ON model_calls (task_id, step);
CREATE INDEX model_calls_day ON model_calls (tenant, created_at);
CREATE INDEX model_calls_open ON model_calls (created_at) WHERE outcome = 'open';

-- What is charged to a limit so far, open calls at their worst case: `task/<id>`, `agent/<tenant>/<agent>/<day>`,
-- `tenant/<tenant>/<day>`. A row exists where a limit does.
CREATE TABLE budgets (
  id         text            PRIMARY KEY,
  max_usd    numeric(20, 10),
  max_tokens bigint,
  max_calls  integer,
  usd        numeric(20, 10) NOT NULL DEFAULT 0,
  tokens     bigint          NOT NULL DEFAULT 0,
  calls      integer         NOT NULL DEFAULT 0,
  updated_at timestamptz     NOT NULL DEFAULT now()
) WITH (fillfactor = 70);

-- What all workers know of a model: whether its provider answers, and how much it may be asked.
CREATE TABLE model_gates (
  model               text        PRIMARY KEY,
  -- failures since the last success; `open_since` stands while nobody is let through
  failures            integer     NOT NULL DEFAULT 0,
  failed_at           timestamptz,
  open_since          timestamptz,
  probe_at            timestamptz,
  -- a provider's word that it takes nothing before then
  blocked_until       timestamptz,
  requests_per_minute integer,
  tokens_per_minute   integer,
  requests_left       double precision,
  tokens_left         double precision,
  refilled_at         timestamptz
) WITH (fillfactor = 70);

-- Tasks that wait for a model to come back. They leave in the order of their turns: oldest first, tenant by tenant. A row
-- stays for a while after its task has left: whose turn it is depends on who went before, and a task may be back soon.
CREATE TABLE parked_tasks (
  task_id       uuid        PRIMARY KEY REFERENCES tasks ON DELETE CASCADE,
  model         text        NOT NULL,
  tenant        text        NOT NULL,
  -- its place in line
  parked_at     timestamptz NOT NULL DEFAULT now(),
  -- later than that for a task that is back from a probe
  waiting_since timestamptz NOT NULL DEFAULT now(),
  released_at   timestamptz,
  -- within one outage
  releases      integer     NOT NULL DEFAULT 0,
  left_at       timestamptz
);
CREATE INDEX parked_tasks_model ON parked_tasks (model, tenant, parked_at);

-- A model may give the same id to calls of different steps. `result_hash` is what the model reads, `full_hash` the whole
-- result where that is longer.
ALTER TABLE tool_calls
  DROP CONSTRAINT tool_calls_pkey,
  ADD PRIMARY KEY (task_id, step, call_id),
  ADD COLUMN full_hash text,
  ADD COLUMN misuse text;

-- Why a task is waiting.
ALTER TABLE tasks ADD COLUMN waiting jsonb;

-- The conversation's size in tokens up to and including this message, as a model counted it.
ALTER TABLE messages
  ADD COLUMN context_tokens integer,
  ADD COLUMN counted_by text;

-- Down Migration

UPDATE tasks SET status = 'running' WHERE status = 'waiting';
ALTER TABLE tasks DROP COLUMN waiting;
ALTER TABLE tool_calls DROP COLUMN full_hash, DROP COLUMN misuse;
ALTER TABLE messages DROP COLUMN context_tokens, DROP COLUMN counted_by;
DROP TABLE parked_tasks, model_gates, budgets;
DELETE FROM model_calls WHERE purpose <> 'turn' OR outcome = 'open';
DROP INDEX model_calls_day, model_calls_open, model_calls_task, model_calls_paid_once, model_calls_call;
ALTER TABLE model_calls
  DROP COLUMN call_id, DROP COLUMN purpose, DROP COLUMN tenant, DROP COLUMN agent, DROP COLUMN budgets, DROP COLUMN ended_at;
CREATE UNIQUE INDEX model_calls_paid_once ON model_calls (task_id, step) WHERE outcome = 'completed';
CREATE INDEX model_calls_task ON model_calls (task_id);
