-- Up Migration

-- What monitors have seen, so that each thing is reported once. Hashes only: no word of what was read is kept.
CREATE TABLE social_watches (
  tenant        text        NOT NULL,
  subject       text        NOT NULL,
  -- a hash of the monitor's name and of what it watches in one source
  watch         text        NOT NULL,
  -- the task whose look was the first one; null while the source has never answered
  baseline_task uuid,
  -- runs in a row in which the source did not answer, and the last of them
  failures      integer     NOT NULL DEFAULT 0,
  failed_task   uuid,
  seen_at       timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant, subject, watch)
);
CREATE INDEX social_watches_by_age ON social_watches (seen_at);

CREATE TABLE social_seen (
  tenant  text        NOT NULL,
  subject text        NOT NULL,
  watch   text        NOT NULL,
  item    text        NOT NULL,
  -- the task that has reported it
  task_id uuid        NOT NULL,
  seen_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant, subject, watch, item)
);
CREATE INDEX social_seen_by_age ON social_seen (seen_at);

-- Down Migration

DROP TABLE social_seen;
DROP TABLE social_watches;
