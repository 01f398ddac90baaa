-- Up Migration
-- Outside a transaction

-- One statement, which may be repeated: it commits as it goes, and a process may end in the middle.
DO $$
DECLARE
  batch uuid[];
BEGIN
  -- Whether pages of the file hold pictures that no text recognition has read. Null: not known, as of documents from before.
  ALTER TABLE documents ADD COLUMN IF NOT EXISTS unread_pictures boolean;
  COMMIT;

  -- Numbers the files that were settled before migration 0013, in the order of the upload. The version before this one
  -- goes on meanwhile. As its triggers do, this locks the upload before its files.
  LOOP
    batch := ARRAY(
      SELECT i.id FROM ingestions i
      WHERE (batch IS NULL OR i.id > batch[cardinality(batch)])
        AND (i.ended_at IS NOT NULL AND i.ended_seq IS NULL OR EXISTS (
          SELECT FROM ingestion_files f WHERE f.ingestion_id = i.id AND f.state <> 'pending' AND f.seq IS NULL))
      ORDER BY i.id LIMIT 200);
    EXIT WHEN cardinality(batch) = 0;
    PERFORM FROM ingestions WHERE id = ANY (batch) ORDER BY id FOR UPDATE;
    UPDATE ingestion_files f SET seq = n.seq, settled_at = n.settled_at FROM (
      SELECT s.ingestion_id, s.ordinal, coalesce(i.ended_at, i.created_at) AS settled_at,
        coalesce((SELECT max(o.seq) FROM ingestion_files o WHERE o.ingestion_id = i.id), 1)
          + row_number() OVER (PARTITION BY s.ingestion_id ORDER BY s.ordinal) AS seq
      FROM ingestion_files s JOIN ingestions i ON i.id = s.ingestion_id
      WHERE i.id = ANY (batch) AND s.state <> 'pending' AND s.seq IS NULL
    ) n WHERE n.ingestion_id = f.ingestion_id AND n.ordinal = f.ordinal;
    UPDATE ingestions i SET
      last_seq = n.files + (i.ended_at IS NOT NULL)::int,
      ended_seq = CASE WHEN i.ended_at IS NOT NULL THEN n.files + 1 END
    FROM (
      SELECT u.id, coalesce(max(f.seq), 1) AS files FROM unnest(batch) AS u (id)
        LEFT JOIN ingestion_files f ON f.ingestion_id = u.id
      GROUP BY u.id
    ) n WHERE n.id = i.id;
    COMMIT;
  END LOOP;
END $$;

-- Down Migration

ALTER TABLE documents DROP COLUMN unread_pictures;
