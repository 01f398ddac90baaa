-- Up Migration

-- Where documents come from by themselves. A sync reads what the source holds now; Temporal keeps the interval.
CREATE TABLE sources (
  id                 uuid        PRIMARY KEY,
  tenant             text        NOT NULL,
  subject            text        NOT NULL,
  kind               text        NOT NULL,
  address            text        NOT NULL,
  -- what else there is to know of where to read, by kind
  options            jsonb       NOT NULL DEFAULT '{}',
  collection         text        NOT NULL DEFAULT 'default',
  -- null: as it is, for a document that is there already
  readers            text[],
  tags               text[],
  -- seconds from one sync to the next; null: when somebody asks
  schedule           integer,
  -- the last sync. `sync_run` is the workflow run that began it, `listed` the number of the last one that has its list.
  sync               integer     NOT NULL DEFAULT 0,
  listed             integer     NOT NULL DEFAULT 0,
  sync_run           text,
  sync_state         text        NOT NULL DEFAULT 'queued'
    CHECK (sync_state IN ('queued', 'running', 'completed', 'failed', 'cancelled')),
  sync_removed       integer     NOT NULL DEFAULT 0,
  sync_error_code    text,
  sync_error_message text,
  sync_requested_at  timestamptz NOT NULL DEFAULT now(),
  sync_started_at    timestamptz,
  sync_ended_at      timestamptz,
  created_at         timestamptz NOT NULL DEFAULT now(),
  -- its documents are being removed, then the row
  deleted_at         timestamptz
);
CREATE INDEX sources_newest ON sources (tenant, subject, id);
CREATE UNIQUE INDEX sources_once ON sources (tenant, subject, kind, collection, md5(address), options) WHERE deleted_at IS NULL;

-- What a source held at the last look. `etag`, `last_modified` and `content_hash` are those of the document that stands.
CREATE TABLE source_items (
  source_id     uuid        NOT NULL REFERENCES sources ON DELETE CASCADE,
  -- of the document
  name          text        NOT NULL,
  address       text        NOT NULL,
  etag          text,
  last_modified text,
  content_hash  text,
  document_id   uuid        REFERENCES documents ON DELETE SET NULL,
  state         text        NOT NULL CHECK (state IN ('pending', 'added', 'replaced', 'unchanged', 'failed', 'gone')),
  error_code    text,
  error_message text,
  seen_at       timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (source_id, name)
);
CREATE INDEX source_items_due ON source_items (source_id, state, name) WHERE state IN ('pending', 'gone', 'failed');
CREATE INDEX source_items_document ON source_items (document_id) WHERE document_id IS NOT NULL;

-- Down Migration

DROP TABLE source_items, sources;
