-- Up Migration

-- Who may read a task, or a conversation with all its tasks, beside its owner: `everyone` of the tenant, `group:<name>`,
-- `subject:<id>`.
CREATE TABLE task_readers (
  task_id uuid NOT NULL REFERENCES tasks ON DELETE CASCADE,
  reader  text NOT NULL,
  -- of the task: what is shared with a reader is found by both
  tenant  text NOT NULL,
  PRIMARY KEY (task_id, reader)
);
CREATE INDEX task_readers_by_reader ON task_readers (tenant, reader, task_id);

CREATE TABLE conversation_readers (
  conversation_id text NOT NULL REFERENCES conversations ON DELETE CASCADE,
  reader          text NOT NULL,
  tenant          text NOT NULL,
  PRIMARY KEY (conversation_id, reader)
);
CREATE INDEX conversation_readers_by_reader ON conversation_readers (tenant, reader, conversation_id);

-- Down Migration

DROP TABLE task_readers, conversation_readers;
