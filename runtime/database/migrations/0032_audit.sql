-- Up Migration

-- Who did what: ids, codes and counts, never content. An entry's hash is a MAC over the entry and the hash before it.
CREATE TABLE audit_entries (
  seq           bigint         PRIMARY KEY,
  at            timestamptz(3) NOT NULL,
  tenant        text           NOT NULL,
  subject       text           NOT NULL,
  kind          text,
  via           text,
  action        text           NOT NULL,
  resource_type text,
  resource_id   text,
  outcome       text           NOT NULL,
  code          text,
  -- more than 1: so many like this
  count         integer        NOT NULL,
  request_id    text,
  address       text,
  country       text,
  client        text,
  key_id        text           NOT NULL,
  -- the hash of the entry before, which tells apart what was changed from what was moved
  previous      bytea          NOT NULL,
  hash          bytea          NOT NULL
);
CREATE INDEX audit_entries_newest ON audit_entries (tenant, at, seq);
CREATE INDEX audit_entries_of_subject ON audit_entries (tenant, subject, at, seq);
CREATE INDEX audit_entries_by_time ON audit_entries USING brin (at);

-- The end of the chain, and the entry that its beginning follows. `mac` covers both; null while the log is empty.
CREATE TABLE audit_head (
  is_only   boolean PRIMARY KEY DEFAULT true CHECK (is_only),
  seq       bigint  NOT NULL,
  hash      bytea   NOT NULL,
  base_seq  bigint  NOT NULL,
  base_hash bytea   NOT NULL,
  key_id    text,
  mac       bytea
);
INSERT INTO audit_head (seq, hash, base_seq, base_hash) VALUES (0, '', 0, '');

-- Signed states of the chain. Each is stored here when it has been written to its place off the machine.
CREATE TABLE audit_checkpoints (
  seq    bigint         PRIMARY KEY,
  hash   bytea          NOT NULL,
  at     timestamptz(3) NOT NULL,
  key_id text           NOT NULL,
  mac    bytea          NOT NULL
);

-- Entries before the beginning of the chain may be removed, because retention has moved the beginning. All else stays.
CREATE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND OLD.seq <= (SELECT base_seq FROM audit_head) THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION 'audit_entries is append-only: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER audit_entries_stay BEFORE UPDATE OR DELETE ON audit_entries
  FOR EACH ROW EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER audit_entries_are_not_emptied BEFORE TRUNCATE ON audit_entries
  FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
-- Also in a session with `session_replication_role = replica`.
ALTER TABLE audit_entries ENABLE ALWAYS TRIGGER audit_entries_stay;
ALTER TABLE audit_entries ENABLE ALWAYS TRIGGER audit_entries_are_not_emptied;
REVOKE UPDATE, TRUNCATE ON audit_entries FROM PUBLIC, CURRENT_USER;

-- Removes entries before the beginning of the chain, with the rights of the table's owner: a role that writes entries
-- needs no right to delete.
CREATE FUNCTION audit_remove_expired(most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE removed integer;
BEGIN
  DELETE FROM audit_entries WHERE seq IN (
    SELECT e.seq FROM audit_entries e, audit_head h WHERE e.seq <= h.base_seq ORDER BY e.seq LIMIT most);
  GET DIAGNOSTICS removed = ROW_COUNT;
  RETURN removed;
END $$;
REVOKE EXECUTE ON FUNCTION audit_remove_expired(integer) FROM PUBLIC;

-- Down Migration

DROP TABLE audit_entries, audit_head, audit_checkpoints;
DROP FUNCTION audit_remove_expired(integer);
DROP FUNCTION audit_refuse_change();
