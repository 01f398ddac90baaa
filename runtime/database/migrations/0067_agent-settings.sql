-- Up Migration

-- What a tenant has set for an agent. Each change is a row of its own, and a row is never changed: a task names the
-- version that it began with.
ALTER TABLE tasks ADD COLUMN settings_version integer;

CREATE TABLE agent_settings (
  tenant       text        NOT NULL,
  agent        text        NOT NULL,
  version      integer     NOT NULL,
  -- without the instructions
  settings     jsonb       NOT NULL,
  instructions text,
  note         text        NOT NULL,
  -- the version that a roll back has brought back; 0: the agent as it is without settings of the tenant
  restores     integer,
  created_by   text        NOT NULL,
  created_at   timestamptz NOT NULL DEFAULT now(),
  -- the only column that changes
  is_newest    boolean     NOT NULL DEFAULT true,
  PRIMARY KEY (tenant, agent, version)
);
CREATE UNIQUE INDEX agent_settings_newest ON agent_settings (tenant, agent) WHERE is_newest;

-- Down Migration

DROP TABLE agent_settings;
ALTER TABLE tasks DROP COLUMN settings_version;
