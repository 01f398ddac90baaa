-- Up Migration

-- A thread of tasks. `head` is the chain of messages that the next task goes on from.
CREATE TABLE conversations (
  id              text        PRIMARY KEY,
  tenant          text        NOT NULL,
  subject         text        NOT NULL,
  agent           text        NOT NULL,
  title           text,
  on_busy         text        NOT NULL CHECK (on_busy IN ('enqueue', 'interrupt', 'rollback', 'reject', 'steer')),
  metadata        jsonb       NOT NULL DEFAULT '{}',
  -- what its tasks have in common: budget, priority, callback
  defaults        jsonb       NOT NULL DEFAULT '{}',
  idempotency_key text,
  request_hash    text        NOT NULL,
  head            text,
  last_seq        integer     NOT NULL DEFAULT 0,
  last_position   integer     NOT NULL DEFAULT 0,
  -- why and how somebody asks to stop what runs, on its way to the task: reason, undo, by
  stop_request    jsonb,
  created_at      timestamptz NOT NULL DEFAULT now(),
  updated_at      timestamptz NOT NULL DEFAULT now(),
  archived_at     timestamptz,
  deleted_at      timestamptz
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX conversations_idempotency ON conversations (tenant, subject, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX conversations_newest ON conversations (tenant, subject, id);
CREATE INDEX conversations_deleted ON conversations (deleted_at) WHERE deleted_at IS NOT NULL;

-- What people say in it. A message has a position from the moment its conversation has decided what becomes of it.
CREATE TABLE conversation_messages (
  conversation_id text        NOT NULL REFERENCES conversations ON DELETE CASCADE,
  -- the sender's own name for it: the same one twice is the same message
  id              text        NOT NULL,
  position        integer,
  content_hash    text        NOT NULL,
  request         jsonb       NOT NULL,
  request_hash    text        NOT NULL,
  -- the sender's roles
  roles           text[]      NOT NULL DEFAULT '{}',
  -- the task that it starts, if it starts one
  task_id         uuid        NOT NULL,
  state           text        NOT NULL DEFAULT 'received' CHECK (state IN
    ('received', 'queued', 'running', 'done', 'passed_over', 'rolled_back', 'dropped', 'steering', 'steered', 'rejected')),
  -- what was decided: started, queued, interrupted, rolled_back, steered, rejected
  outcome         text,
  -- the task that ran then
  running_task_id uuid,
  -- the chain up to and including this message
  head            text,
  -- the step of the running task that read it, when it was steered
  taken_step      integer,
  created_at      timestamptz NOT NULL DEFAULT now(),
  decided_at      timestamptz,
  PRIMARY KEY (conversation_id, id)
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX conversation_messages_position ON conversation_messages (conversation_id, position) WHERE position IS NOT NULL;
-- what waits or runs, and what was passed over and is not in the chain yet
CREATE INDEX conversation_messages_open ON conversation_messages (conversation_id)
  WHERE state IN ('queued', 'running', 'steering') OR (state = 'passed_over' AND head IS NULL);
CREATE INDEX conversation_messages_running ON conversation_messages (running_task_id) WHERE running_task_id IS NOT NULL;

-- What may be watched of a conversation, numbered over all its tasks: an event of a task by reference, or one of its own.
CREATE TABLE conversation_events (
  conversation_id text        NOT NULL REFERENCES conversations ON DELETE CASCADE,
  seq             integer     NOT NULL,
  at              timestamptz NOT NULL DEFAULT now(),
  task_id         uuid,
  task_seq        integer,
  type            text,
  data            jsonb,
  PRIMARY KEY (conversation_id, seq)
);

ALTER TABLE tasks
  -- the requester's roles when the task was made
  ADD COLUMN roles text[] NOT NULL DEFAULT '{}',
  -- why and how somebody asked to cancel it: reason, undo, by
  ADD COLUMN cancel_request jsonb,
  -- its content was deleted; what it cost is kept
  ADD COLUMN erased_at timestamptz;
CREATE INDEX tasks_conversation ON tasks (tenant, subject, conversation_id, id) WHERE conversation_id IS NOT NULL;

-- A deletion takes what follows a message with it.
CREATE INDEX messages_parent ON messages (tenant, subject, parent) WHERE parent IS NOT NULL;
CREATE INDEX messages_from ON messages (tenant, subject, (body->>'from')) WHERE body->>'from' IS NOT NULL;

-- Receipts of what changes the world: the intent with its input first; `left_at` right before nothing can call it back.
ALTER TABLE tool_calls
  ADD COLUMN effect text,
  ADD COLUMN input jsonb,
  ADD COLUMN summary text,
  ADD COLUMN left_at timestamptz,
  -- the undo has a receipt of its own
  ADD COLUMN undo_state text CHECK (undo_state IN ('begun', 'undone', 'failed', 'impossible', 'unknown')),
  ADD COLUMN undo_left_at timestamptz,
  ADD COLUMN undo_summary text,
  ADD COLUMN undo_ended_at timestamptz;

-- Calls that wait for a person. `arguments_hash` is what was asked for, `decided_hash` what may run.
CREATE TABLE approvals (
  id             uuid        PRIMARY KEY,
  tenant         text        NOT NULL,
  -- who asked for the task
  subject        text        NOT NULL,
  task_id        uuid        NOT NULL REFERENCES tasks ON DELETE CASCADE,
  agent          text        NOT NULL,
  step           integer     NOT NULL,
  call_id        text        NOT NULL,
  tool           text        NOT NULL,
  arguments      jsonb       NOT NULL,
  arguments_hash text        NOT NULL,
  -- approvers, four eyes, what happens at the end of its time
  rule           jsonb       NOT NULL,
  status         text        NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'approved', 'denied', 'expired', 'withdrawn')),
  requested_at   timestamptz NOT NULL DEFAULT now(),
  escalate_at    timestamptz,
  escalated_at   timestamptz,
  expires_at     timestamptz NOT NULL,
  decided_at     timestamptz,
  decided_by     text,
  comment        text,
  edited         jsonb,
  decided_hash   text,
  UNIQUE (task_id, step, call_id)
);
CREATE INDEX approvals_newest ON approvals (tenant, id);
CREATE INDEX approvals_pending ON approvals (tenant, requested_at) WHERE status = 'pending';

-- Down Migration

DROP TABLE approvals;
ALTER TABLE tool_calls
  DROP COLUMN effect, DROP COLUMN input, DROP COLUMN summary, DROP COLUMN left_at,
  DROP COLUMN undo_state, DROP COLUMN undo_left_at, DROP COLUMN undo_summary, DROP COLUMN undo_ended_at;
DROP INDEX messages_parent, messages_from, tasks_conversation;
ALTER TABLE tasks DROP COLUMN roles, DROP COLUMN cancel_request, DROP COLUMN erased_at;
DROP TABLE conversation_events, conversation_messages, conversations;
