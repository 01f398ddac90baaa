-- Up Migration
-- Outside a transaction

-- The tasks of a whole tenant, newest first, for those who run its work.
DROP INDEX CONCURRENTLY IF EXISTS tasks_of_tenant;
CREATE INDEX CONCURRENTLY tasks_of_tenant ON tasks (tenant, id);

-- Down Migration

DROP INDEX tasks_of_tenant;
