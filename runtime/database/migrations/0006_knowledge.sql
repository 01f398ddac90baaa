-- Up Migration

-- Who may read a document: its owner (the subject who added it) and whoever `readers` names, `everyone` of the tenant,
-- `group:<name>` or `subject:<id>`.
ALTER TABLE documents
  ADD COLUMN collection text    NOT NULL DEFAULT 'default',
  ADD COLUMN readers    text[]  NOT NULL DEFAULT '{everyone}',
  ADD COLUMN tags       text[]  NOT NULL DEFAULT '{}',
  ADD COLUMN language   text,
  -- counts the contents that stood under this name
  ADD COLUMN version    integer NOT NULL DEFAULT 1,
  DROP CONSTRAINT documents_tenant_name_key,
  ADD CONSTRAINT documents_name UNIQUE (tenant, collection, name);

ALTER TABLE ingestions
  ADD COLUMN collection text   NOT NULL DEFAULT 'default',
  -- null: as it is, for a document that is there already
  ADD COLUMN readers    text[],
  ADD COLUMN tags       text[];

-- What is embedded for a chunk: the headings above it, a line each, and its text.
CREATE FUNCTION embedded_text(heading_path text[], body text) RETURNS text IMMUTABLE LANGUAGE sql
  RETURN array_to_string(heading_path || body, chr(10));
CREATE FUNCTION embedded_hash(heading_path text[], body text) RETURNS text IMMUTABLE LANGUAGE sql
  RETURN encode(sha256(convert_to(embedded_text(heading_path, body), 'UTF8')), 'hex');
ALTER TABLE chunks ADD COLUMN embed_hash text NOT NULL GENERATED ALWAYS AS (embedded_hash(heading_path, text)) STORED;
-- the white space between a chunk and the one before it, where nothing else stands there
ALTER TABLE chunks ADD COLUMN gap text;
CREATE INDEX chunks_embed ON chunks (embed_hash);
-- Chunks that stay when their document changes move to other places all at once.
ALTER TABLE chunks
  DROP CONSTRAINT chunks_document_id_ordinal_key,
  ADD CONSTRAINT chunks_ordinal UNIQUE (document_id, ordinal) DEFERRABLE INITIALLY DEFERRED;

-- Vectors by what was embedded, so that the same text is embedded once. 32-bit floats, little-endian.
CREATE TABLE embeddings (
  tenant     text        NOT NULL,
  model      text        NOT NULL,
  hash       text        NOT NULL,
  vector     bytea       NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant, model, hash)
);

-- Who is in which group, as whoever signs people in says.
CREATE TABLE group_members (
  tenant     text NOT NULL,
  group_name text NOT NULL,
  subject    text NOT NULL,
  PRIMARY KEY (tenant, subject, group_name)
);

CREATE INDEX document_changes_tenant ON document_changes (tenant, seq);

-- Down Migration

DROP INDEX document_changes_tenant;
DROP TABLE group_members, embeddings;
ALTER TABLE chunks
  DROP COLUMN embed_hash,
  DROP COLUMN gap,
  DROP CONSTRAINT chunks_ordinal,
  ADD CONSTRAINT chunks_document_id_ordinal_key UNIQUE (document_id, ordinal);
DROP FUNCTION embedded_hash, embedded_text;
ALTER TABLE ingestions DROP COLUMN collection, DROP COLUMN readers, DROP COLUMN tags;
ALTER TABLE documents
  DROP CONSTRAINT documents_name,
  DROP COLUMN collection, DROP COLUMN readers, DROP COLUMN tags, DROP COLUMN language, DROP COLUMN version,
  ADD CONSTRAINT documents_tenant_name_key UNIQUE (tenant, name);
