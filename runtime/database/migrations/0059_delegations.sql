-- Up Migration

-- A task that another one has delegated. `ancestors` are the tasks above it, the first one first and its parent last, so
-- that one condition finds a whole tree: rights, undo and deletion reach all of it.
ALTER TABLE tasks
  ADD COLUMN parent_id uuid,
  ADD COLUMN ancestors uuid[] NOT NULL DEFAULT '{}';

-- The delegate calls of tasks. `usd`, `tokens` and `calls` are what the budget of the parent is charged for the child
-- while it is open. At its end its real cost takes their place.
CREATE TABLE delegations (
  child_id   uuid PRIMARY KEY REFERENCES tasks ON DELETE CASCADE,
  parent_id  uuid NOT NULL REFERENCES tasks ON DELETE CASCADE,
  step       integer NOT NULL,
  call_id    text NOT NULL,
  usd        numeric(20, 10) NOT NULL DEFAULT 0,
  tokens     bigint NOT NULL DEFAULT 0,
  calls      integer NOT NULL DEFAULT 0,
  started_at timestamptz NOT NULL DEFAULT now(),
  ended_at   timestamptz,
  -- A repeated attempt finds the child of its call.
  UNIQUE (parent_id, step, call_id)
);

-- Down Migration

DROP TABLE delegations;
ALTER TABLE tasks DROP COLUMN ancestors, DROP COLUMN parent_id;
