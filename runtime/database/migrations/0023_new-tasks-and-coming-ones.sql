-- Up Migration
-- Outside a transaction

-- Tasks that were asked for after a time, few of many.
DROP INDEX CONCURRENTLY IF EXISTS tasks_by_creation;
CREATE INDEX CONCURRENTLY tasks_by_creation ON tasks (tenant, subject, created_at);

-- Messages whose tasks may have no row, by task.
DROP INDEX CONCURRENTLY IF EXISTS conversation_messages_without_task;
CREATE INDEX CONCURRENTLY conversation_messages_without_task ON conversation_messages (task_id)
  WHERE state IN ('queued', 'steering', 'passed_over', 'rolled_back', 'dropped');

-- Down Migration

DROP INDEX tasks_by_creation, conversation_messages_without_task;
