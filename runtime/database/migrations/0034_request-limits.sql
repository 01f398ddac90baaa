-- Up Migration

-- Counts of requests of the running minute, as rate-limiter-flexible keeps them: the columns and their order are its.
-- A crash of the server may empty the table, so that a count costs no write-ahead log.
CREATE UNLOGGED TABLE request_limits (
  -- the name of the limit, and a hash of whose requests are counted
  key    varchar(255) PRIMARY KEY,
  points integer      NOT NULL DEFAULT 0,
  -- milliseconds since 1970
  expire bigint
);

-- Those who gave the key another secret, and so have known one: with four eyes they are no other person than the key.
ALTER TABLE api_keys ADD COLUMN rotated_by text[] NOT NULL DEFAULT '{}';
-- Who signed the newest token of the subject. Null: not seen since this column is there.
ALTER TABLE subjects ADD COLUMN issuer text;

-- Down Migration

ALTER TABLE subjects DROP COLUMN issuer;
ALTER TABLE api_keys DROP COLUMN rotated_by;
DROP TABLE request_limits;
