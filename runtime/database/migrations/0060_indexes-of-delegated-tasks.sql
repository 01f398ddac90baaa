-- Up Migration
-- Outside a transaction

DROP INDEX CONCURRENTLY IF EXISTS tasks_of_parent;
CREATE INDEX CONCURRENTLY tasks_of_parent ON tasks (parent_id, id) WHERE parent_id IS NOT NULL;

-- All tasks below another one.
DROP INDEX CONCURRENTLY IF EXISTS tasks_below;
CREATE INDEX CONCURRENTLY tasks_below ON tasks USING gin (ancestors) WHERE parent_id IS NOT NULL;

-- Down Migration

DROP INDEX tasks_of_parent, tasks_below;
