-- Up Migration

-- How documents of a collection are cut; one that is not here is cut as ever, at 350 tokens without overlap.
CREATE TABLE collections (
  tenant         text        NOT NULL,
  name           text        NOT NULL,
  chunk_tokens   integer     NOT NULL,
  overlap_tokens integer     NOT NULL,
  updated_at     timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant, name)
);
-- By what a document's chunks were cut.
ALTER TABLE documents
  ADD COLUMN chunk_tokens   integer NOT NULL DEFAULT 350,
  ADD COLUMN overlap_tokens integer NOT NULL DEFAULT 0;

-- The failed files of an upload, read once more; attempts count from 1.
ALTER TABLE ingestions
  ADD COLUMN retry_of uuid REFERENCES ingestions ON DELETE CASCADE,
  ADD COLUMN attempt  integer,
  ADD CONSTRAINT ingestions_attempt UNIQUE (retry_of, attempt);
-- A failed file whose bytes wait for a retry, until the sweep lets go of them.
ALTER TABLE ingestion_files ADD COLUMN kept boolean NOT NULL DEFAULT false;
CREATE INDEX ingestion_files_kept ON ingestion_files (content_hash) WHERE kept;

ALTER TABLE sources
  ADD COLUMN idempotency_key text,
  ADD COLUMN request_hash    text;
CREATE UNIQUE INDEX sources_idempotency ON sources (tenant, subject, idempotency_key) WHERE idempotency_key IS NOT NULL;

-- Down Migration

ALTER TABLE sources DROP COLUMN idempotency_key, DROP COLUMN request_hash;
-- What was kept for a retry alone has no reason to stay.
DELETE FROM files f USING ingestion_files u, ingestions i
  WHERE u.kept AND i.id = u.ingestion_id AND i.tenant = f.tenant AND u.content_hash = f.hash
    AND NOT EXISTS (SELECT FROM documents d WHERE d.tenant = f.tenant AND d.content_hash = f.hash)
    AND NOT EXISTS (
      SELECT FROM ingestion_files p JOIN ingestions r ON r.id = p.ingestion_id
      WHERE p.content_hash = f.hash AND p.state = 'pending' AND r.tenant = f.tenant AND r.status = 'running'
    );
ALTER TABLE ingestion_files DROP COLUMN kept;
ALTER TABLE ingestions DROP COLUMN retry_of, DROP COLUMN attempt;
ALTER TABLE documents DROP COLUMN chunk_tokens, DROP COLUMN overlap_tokens;
DROP TABLE collections;
