-- Up Migration

-- The model that has made vectors of all of a document's chunks, and whose vectors were noted for the search indexes; null
-- when there is no such. What is still to be embedded is found among the documents where another stands.
ALTER TABLE documents ADD COLUMN embedded_by text;
CREATE INDEX documents_embedded_by ON documents (embedded_by);

-- Whoever adds a chunk, the version before this one too, leaves a document with something to embed.
CREATE FUNCTION chunks_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE documents SET embedded_by = NULL
  WHERE embedded_by IS NOT NULL AND id IN (SELECT document_id FROM added);
  RETURN NULL;
END $$;
CREATE TRIGGER chunks_added AFTER INSERT ON chunks
  REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION chunks_added();

-- Down Migration

DROP TRIGGER chunks_added ON chunks;
DROP FUNCTION chunks_added;
DROP INDEX documents_embedded_by;
ALTER TABLE documents DROP COLUMN embedded_by;
