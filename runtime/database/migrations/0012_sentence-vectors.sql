-- Up Migration

-- The vectors of a text's sentences, in their order: for each a 32-bit float, little-endian, that its numbers are
-- multiplied by, and its numbers as signed bytes. Null where the model gives none.
ALTER TABLE embeddings ADD COLUMN sentences bytea;

-- Down Migration

ALTER TABLE embeddings DROP COLUMN sentences;
