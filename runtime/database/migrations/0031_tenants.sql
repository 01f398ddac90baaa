-- Up Migration
-- Outside a transaction

-- What operators say of tenants. A tenant without a row is active and has no limits of its own.
CREATE TABLE IF NOT EXISTS tenants (
  name         text        PRIMARY KEY,
  state        text        NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'suspended')),
  -- `TenantLimits` of contract/tenants.ts
  limits       jsonb       NOT NULL DEFAULT '{}',
  -- why it is suspended: its people read that
  reason       text,
  created_at   timestamptz NOT NULL DEFAULT now(),
  suspended_at timestamptz
);

-- How many tasks a tenant has at once, and had in a day.
DROP INDEX CONCURRENTLY IF EXISTS tasks_open_by_tenant;
CREATE INDEX CONCURRENTLY tasks_open_by_tenant ON tasks (tenant, id) WHERE status IN ('queued', 'running', 'waiting');
DROP INDEX CONCURRENTLY IF EXISTS tasks_by_tenant;
CREATE INDEX CONCURRENTLY tasks_by_tenant ON tasks (tenant, id);

-- Down Migration

DROP INDEX tasks_open_by_tenant, tasks_by_tenant;
DROP TABLE tenants;
