-- Up Migration
-- Outside a transaction

-- Ended calls that `usage_days` does not count yet: none, once the sweep has counted those from before it.
DROP INDEX CONCURRENTLY IF EXISTS model_calls_uncounted;
CREATE INDEX CONCURRENTLY model_calls_uncounted ON model_calls (tenant, created_at) WHERE NOT is_counted AND outcome <> 'open';
-- Settled callbacks whose secret is still kept.
DROP INDEX CONCURRENTLY IF EXISTS callbacks_settled;
CREATE INDEX CONCURRENTLY callbacks_settled ON callbacks (updated_at) WHERE state IN ('delivered', 'failed') AND secret <> '';

-- Down Migration

DROP INDEX model_calls_uncounted, callbacks_settled;
