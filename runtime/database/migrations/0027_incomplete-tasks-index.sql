-- Up Migration
-- Outside a transaction

-- Tasks that ended without an answer, few of many.
DROP INDEX CONCURRENTLY IF EXISTS tasks_incomplete;
CREATE INDEX CONCURRENTLY tasks_incomplete ON tasks (tenant, subject, id) WHERE incomplete IS NOT NULL;

-- Down Migration

DROP INDEX tasks_incomplete;
