-- Up Migration
-- Outside a transaction

-- A name is taken once by each owner: what a person may not read does not show by a name that is refused.
DROP INDEX CONCURRENTLY IF EXISTS documents_name_of_owner;
CREATE UNIQUE INDEX CONCURRENTLY documents_name_of_owner ON documents (tenant, collection, name, subject);
-- It keeps the name of the constraint, which the version before knows. One statement: names are unique at any moment.
ALTER TABLE documents DROP CONSTRAINT IF EXISTS documents_name,
  ADD CONSTRAINT documents_name UNIQUE USING INDEX documents_name_of_owner;

-- Down Migration
-- Outside a transaction

-- Of several documents of one name the oldest keeps it. The others get their id behind it.
BEGIN;
CREATE TEMPORARY TABLE renamed ON COMMIT DROP AS
  SELECT id, tenant FROM (
    SELECT id, tenant, row_number() OVER (PARTITION BY tenant, collection, name ORDER BY created_at, id) AS place FROM documents
  ) d WHERE place > 1;
UPDATE documents d SET name = left(d.name, 470) || ' (' || d.id || ')' FROM renamed r WHERE r.id = d.id;
SELECT pg_advisory_xact_lock(1, 1);
DELETE FROM document_changes c USING renamed r WHERE c.document_id = r.id;
INSERT INTO document_changes (tenant, document_id) SELECT tenant, id FROM renamed;
COMMIT;
DROP INDEX CONCURRENTLY IF EXISTS documents_name_once;
CREATE UNIQUE INDEX CONCURRENTLY documents_name_once ON documents (tenant, collection, name);
ALTER TABLE documents DROP CONSTRAINT IF EXISTS documents_name,
  ADD CONSTRAINT documents_name UNIQUE USING INDEX documents_name_once;
