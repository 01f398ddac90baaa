-- Up Migration

-- The files of messages in Slack, and what became of each: so that they are read once, and a repeat asks the same.
CREATE TABLE slack_files (
  team          text    NOT NULL,
  channel       text    NOT NULL,
  thread_ts     text    NOT NULL,
  -- the message
  ts            text    NOT NULL,
  position      integer NOT NULL,
  -- whose document it is
  tenant        text    NOT NULL,
  subject       text    NOT NULL,
  name          text    NOT NULL,
  -- in the collection slack; null: Slack did not give the file
  document_name text,
  -- null: it was not read, or not in time
  document_id   uuid,
  -- what the person reads about it
  problem       text,
  -- the message that brought it to the conversation; null: none yet, as after a message without words
  question_ts   text,
  PRIMARY KEY (team, channel, ts, position)
);
CREATE INDEX slack_files_of_thread ON slack_files (team, channel, thread_ts);
CREATE INDEX slack_files_of_document ON slack_files (document_name, tenant, subject) WHERE document_name IS NOT NULL;

-- Down Migration

DROP TABLE slack_files;
