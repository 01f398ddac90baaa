-- Up Migration

-- The messages of people that delegated tasks have taken: messages to the first task of their tree, which steer it while
-- they run. `head` is the message in the chain of the delegated task, before the model call of `taken_step`.
CREATE TABLE task_steering (
  task_id         uuid NOT NULL REFERENCES tasks ON DELETE CASCADE,
  conversation_id text NOT NULL,
  message_id      text NOT NULL,
  taken_step      integer NOT NULL,
  head            text NOT NULL,
  PRIMARY KEY (task_id, conversation_id, message_id)
);

-- Down Migration

DROP TABLE task_steering;
