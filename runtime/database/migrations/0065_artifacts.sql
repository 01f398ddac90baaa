-- Up Migration

-- The files that tasks have made. Their bytes stand in `contents`, once for each subject.
CREATE TABLE artifacts (
  id           uuid        PRIMARY KEY,
  task_id      uuid        NOT NULL REFERENCES tasks ON DELETE CASCADE,
  step         integer     NOT NULL,
  call_id      text        NOT NULL,
  -- the position among the files of the call, from 0
  ordinal      integer     NOT NULL,
  name         text        NOT NULL,
  media_type   text        NOT NULL,
  content_hash text        NOT NULL,
  size_bytes   integer     NOT NULL,
  created_at   timestamptz NOT NULL DEFAULT now(),
  UNIQUE (task_id, step, call_id, ordinal)
);
-- The erasure asks whether a content is still in use.
CREATE INDEX artifacts_by_content ON artifacts (content_hash);

-- Down Migration

DROP TABLE artifacts;
