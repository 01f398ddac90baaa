-- Up Migration

-- What people think of answers in Slack. The comment is content, and deleted with the content of the task.
CREATE TABLE slack_feedback (
  task_id  uuid        NOT NULL,
  -- who has pressed
  team     text        NOT NULL,
  user_id  text        NOT NULL,
  -- whose task it is
  tenant   text        NOT NULL,
  -- who the person is in Alfred
  subject  text        NOT NULL,
  value    text        NOT NULL CHECK (value IN ('useful', 'not_useful')),
  comment  text,
  given_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (task_id, team, user_id)
);
CREATE INDEX slack_feedback_of_tenant ON slack_feedback (tenant, task_id, team, user_id);

-- Down Migration

DROP TABLE slack_feedback;
