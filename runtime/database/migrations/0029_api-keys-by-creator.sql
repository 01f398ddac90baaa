-- Up Migration
-- Outside a transaction

-- The keys of one creator: their list, and how many of them are active.
DROP INDEX CONCURRENTLY IF EXISTS api_keys_by_creator;
CREATE INDEX CONCURRENTLY api_keys_by_creator ON api_keys (tenant, created_by, created_at, id);

-- Down Migration

DROP INDEX api_keys_by_creator;
