-- Up Migration

-- Content by hash. Histories and messages carry the hash; only these rows hold what people wrote.
CREATE TABLE contents (
  tenant     text        NOT NULL,
  subject    text        NOT NULL,
  hash       text        NOT NULL,
  bytes      bytea       NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant, subject, hash)
);

-- A conversation is a chain: each message names its parent, and the hash of the last one names the whole.
CREATE TABLE messages (
  tenant     text        NOT NULL,
  subject    text        NOT NULL,
  hash       text        NOT NULL,
  parent     text,
  depth      integer     NOT NULL,
  body       jsonb       NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant, subject, hash)
);

CREATE TABLE tasks (
  id                 uuid        PRIMARY KEY,
  tenant             text        NOT NULL,
  subject            text        NOT NULL,
  agent              text        NOT NULL,
  status             text        NOT NULL CHECK (status IN ('queued', 'running', 'waiting', 'completed', 'failed', 'cancelled')),
  conversation_id    text,
  metadata           jsonb       NOT NULL DEFAULT '{}',
  budget             jsonb       NOT NULL DEFAULT '{}',
  idempotency_key    text,
  request_hash       text        NOT NULL,
  input_head         text        NOT NULL,
  model              text,
  result_hash        text,
  error_code         text,
  error_message      text,
  -- the Temporal run this row speaks for; another one means that somebody reset the workflow
  run_id             text,
  -- the run, step and attempt that may stream; an older one that still runs is refused
  streaming          text,
  -- the last step whose model call is stored and paid
  paid_step          integer     NOT NULL DEFAULT 0,
  model_calls        integer     NOT NULL DEFAULT 0,
  input_tokens       bigint      NOT NULL DEFAULT 0,
  cache_read_tokens  bigint      NOT NULL DEFAULT 0,
  cache_write_tokens bigint      NOT NULL DEFAULT 0,
  output_tokens      bigint      NOT NULL DEFAULT 0,
  cost_usd           numeric(20, 10) NOT NULL DEFAULT 0,
  last_seq           integer     NOT NULL DEFAULT 0,
  created_at         timestamptz NOT NULL DEFAULT now(),
  started_at         timestamptz,
  ended_at           timestamptz,
  updated_at         timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX tasks_idempotency ON tasks (tenant, subject, idempotency_key) WHERE idempotency_key IS NOT NULL;
-- ids are UUIDv7: their order is the order of creation
CREATE INDEX tasks_newest ON tasks (tenant, subject, id);
CREATE INDEX tasks_open ON tasks (created_at) WHERE status IN ('queued', 'running', 'waiting');

CREATE TABLE task_events (
  task_id uuid        NOT NULL REFERENCES tasks ON DELETE CASCADE,
  seq     integer     NOT NULL,
  at      timestamptz NOT NULL DEFAULT now(),
  type    text        NOT NULL,
  data    jsonb       NOT NULL,
  PRIMARY KEY (task_id, seq)
);

-- The ledger: a row for every attempt at a model call. One completed attempt a step is what "paid once" means.
CREATE TABLE model_calls (
  task_id            uuid        NOT NULL REFERENCES tasks ON DELETE CASCADE,
  step               integer     NOT NULL,
  attempt            integer     NOT NULL,
  outcome            text        NOT NULL,
  provider           text        NOT NULL,
  model              text        NOT NULL,
  head               text,
  result_hash        text,
  stop_reason        text,
  input_tokens       bigint      NOT NULL,
  cache_read_tokens  bigint      NOT NULL,
  cache_write_tokens bigint      NOT NULL,
  output_tokens      bigint      NOT NULL,
  cost_usd           numeric(20, 10) NOT NULL,
  duration_ms        integer     NOT NULL,
  first_token_ms     integer,
  created_at         timestamptz NOT NULL DEFAULT now(),
  id                 bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY
);
CREATE UNIQUE INDEX model_calls_paid_once ON model_calls (task_id, step) WHERE outcome = 'completed';
CREATE INDEX model_calls_task ON model_calls (task_id);

-- Receipts: a retried tool call returns what the first one stored.
CREATE TABLE tool_calls (
  task_id     uuid        NOT NULL REFERENCES tasks ON DELETE CASCADE,
  call_id     text        NOT NULL,
  step        integer     NOT NULL,
  tool        text        NOT NULL,
  result_hash text,
  is_error    boolean     NOT NULL DEFAULT false,
  started_at  timestamptz NOT NULL DEFAULT now(),
  ended_at    timestamptz,
  PRIMARY KEY (task_id, call_id)
);

-- The bytes of uploaded files, once a tenant; a row goes when no document and no running ingestion needs it.
CREATE TABLE files (
  tenant     text        NOT NULL,
  hash       text        NOT NULL,
  bytes      bytea       NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant, hash)
);

CREATE TABLE documents (
  id           uuid        PRIMARY KEY,
  tenant       text        NOT NULL,
  subject      text        NOT NULL,
  name         text        NOT NULL,
  title        text        NOT NULL,
  media_type   text        NOT NULL,
  content_hash text        NOT NULL,
  size_bytes   integer     NOT NULL,
  text         text        NOT NULL,
  -- UTF-16 code units, as offsets are
  characters   integer     NOT NULL,
  chunk_count  integer     NOT NULL,
  created_at   timestamptz NOT NULL DEFAULT now(),
  updated_at   timestamptz NOT NULL DEFAULT now(),
  UNIQUE (tenant, name)
);
CREATE INDEX documents_content ON documents (tenant, content_hash);

CREATE TABLE chunks (
  id           text        PRIMARY KEY,
  document_id  uuid        NOT NULL REFERENCES documents ON DELETE CASCADE,
  ordinal      integer     NOT NULL,
  heading_path text[]      NOT NULL,
  page         integer,
  text         text        NOT NULL,
  start_at     integer     NOT NULL,
  end_at       integer     NOT NULL,
  UNIQUE (document_id, ordinal)
);

-- What a search index must catch up with. Written under one advisory lock, so that the numbers appear in order.
CREATE TABLE document_changes (
  seq         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant      text        NOT NULL,
  document_id uuid        NOT NULL,
  at          timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX document_changes_document ON document_changes (document_id);

CREATE TABLE ingestions (
  id         uuid        PRIMARY KEY,
  tenant     text        NOT NULL,
  subject    text        NOT NULL,
  status     text        NOT NULL CHECK (status IN ('running', 'completed', 'failed', 'cancelled')),
  created_at timestamptz NOT NULL DEFAULT now(),
  ended_at   timestamptz
);

CREATE TABLE ingestion_files (
  ingestion_id  uuid    NOT NULL REFERENCES ingestions ON DELETE CASCADE,
  ordinal       integer NOT NULL,
  name          text    NOT NULL,
  media_type    text    NOT NULL,
  content_hash  text    NOT NULL,
  size_bytes    integer NOT NULL,
  state         text    NOT NULL CHECK (state IN ('pending', 'added', 'replaced', 'unchanged', 'failed')),
  document_id   uuid,
  error_code    text,
  error_message text,
  PRIMARY KEY (ingestion_id, ordinal)
);
CREATE INDEX ingestion_files_pending ON ingestion_files (content_hash) WHERE state = 'pending';

-- Down Migration

DROP TABLE ingestion_files, ingestions, document_changes, chunks, documents, files, tool_calls, model_calls, task_events, tasks, messages, contents;
