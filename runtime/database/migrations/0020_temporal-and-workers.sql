-- Up Migration

-- The one Temporal namespace that the workflows of these rows run in.
CREATE TABLE temporal_namespace (
  singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
  id text NOT NULL,
  name text NOT NULL,
  -- When an operator last said that Temporal had lost workflows; null: never.
  moved_at timestamptz
);

-- Agents whose task queue no worker polled when the sweep last looked.
CREATE TABLE unserved_agents (
  agent text PRIMARY KEY,
  since timestamptz NOT NULL,
  seen_at timestamptz NOT NULL
);

-- Down Migration

DROP TABLE unserved_agents;
DROP TABLE temporal_namespace;
