-- Up Migration
-- Outside a transaction

-- Built while the tables are written to, each statement by itself. A repeat after an interruption drops
-- what the interruption left, which Postgres does not use.

-- Who names a content or a message: a deletion asks before it removes one.
DROP INDEX CONCURRENTLY IF EXISTS tasks_result;
CREATE INDEX CONCURRENTLY tasks_result ON tasks (tenant, subject, result_hash) WHERE result_hash IS NOT NULL;
DROP INDEX CONCURRENTLY IF EXISTS model_calls_result;
CREATE INDEX CONCURRENTLY model_calls_result ON model_calls (result_hash) WHERE result_hash IS NOT NULL;
DROP INDEX CONCURRENTLY IF EXISTS tool_calls_result;
CREATE INDEX CONCURRENTLY tool_calls_result ON tool_calls (result_hash) WHERE result_hash IS NOT NULL;
DROP INDEX CONCURRENTLY IF EXISTS tool_calls_full;
CREATE INDEX CONCURRENTLY tool_calls_full ON tool_calls (full_hash) WHERE full_hash IS NOT NULL;
DROP INDEX CONCURRENTLY IF EXISTS conversation_messages_content;
CREATE INDEX CONCURRENTLY conversation_messages_content ON conversation_messages (content_hash);
DROP INDEX CONCURRENTLY IF EXISTS tasks_input;
CREATE INDEX CONCURRENTLY tasks_input ON tasks (tenant, subject, input_head);
DROP INDEX CONCURRENTLY IF EXISTS model_calls_head;
CREATE INDEX CONCURRENTLY model_calls_head ON model_calls (head) WHERE head IS NOT NULL;
DROP INDEX CONCURRENTLY IF EXISTS approvals_notes;
CREATE INDEX CONCURRENTLY approvals_notes ON approvals USING gin (note_hashes) WHERE note_hashes <> '{}';

-- Lists.
DROP INDEX CONCURRENTLY IF EXISTS tasks_by_status;
CREATE INDEX CONCURRENTLY tasks_by_status ON tasks (tenant, subject, status, id);
DROP INDEX CONCURRENTLY IF EXISTS tasks_by_agent;
CREATE INDEX CONCURRENTLY tasks_by_agent ON tasks (tenant, subject, agent, id);
DROP INDEX CONCURRENTLY IF EXISTS documents_by_name;
CREATE INDEX CONCURRENTLY documents_by_name ON documents (tenant, name, collection);

-- The sweep's.
DROP INDEX CONCURRENTLY IF EXISTS tasks_open_by_id;
CREATE INDEX CONCURRENTLY tasks_open_by_id ON tasks (id) WHERE status IN ('queued', 'running', 'waiting');
DROP INDEX CONCURRENTLY IF EXISTS tasks_to_erase;
CREATE INDEX CONCURRENTLY tasks_to_erase ON tasks (id) WHERE erase_requested_at IS NOT NULL;
DROP INDEX CONCURRENTLY IF EXISTS tasks_kept;
CREATE INDEX CONCURRENTLY tasks_kept ON tasks (tenant, ended_at) WHERE erased_at IS NULL AND conversation_id IS NULL;
DROP INDEX CONCURRENTLY IF EXISTS conversations_idle;
CREATE INDEX CONCURRENTLY conversations_idle ON conversations (tenant, updated_at) WHERE deleted_at IS NULL;
DROP INDEX CONCURRENTLY IF EXISTS ingestions_running;
CREATE INDEX CONCURRENTLY ingestions_running ON ingestions (id) WHERE status = 'running';

-- Down Migration

DROP INDEX tasks_result, model_calls_result, tool_calls_result, tool_calls_full, conversation_messages_content,
  tasks_input, model_calls_head, approvals_notes, tasks_by_status, tasks_by_agent, documents_by_name, tasks_open_by_id, tasks_to_erase, tasks_kept,
  conversations_idle, ingestions_running;
