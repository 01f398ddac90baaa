-- Up Migration

-- Who asked: kind, roles, scopes and how they proved who they are. Tenant and subject are columns already; `roles` of
-- tasks, messages and schedules stays for the version before. Rows of before have none.
ALTER TABLE tasks ADD COLUMN principal jsonb;
ALTER TABLE conversation_messages ADD COLUMN principal jsonb;
ALTER TABLE schedules ADD COLUMN principal jsonb;
ALTER TABLE sources ADD COLUMN principal jsonb;
ALTER TABLE ingestions ADD COLUMN principal jsonb;
-- By subject, each who tried to decide; `decided_by` names whose decision counts.
ALTER TABLE approvals ADD COLUMN deciders jsonb NOT NULL DEFAULT '{}';

-- What the newest credential of a person or service says. Groups are in `group_members`.
CREATE TABLE subjects (
  tenant     text        NOT NULL,
  subject    text        NOT NULL,
  kind       text        NOT NULL,
  roles      text[]      NOT NULL,
  -- when the credential was issued: an older one changes nothing here
  issued_at  timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  seen_at    timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant, subject)
);

-- Keys of services. A key keeps its id, and the subject made of it, through rotations.
CREATE TABLE api_keys (
  -- the part of the key that is no secret
  id              text        PRIMARY KEY,
  tenant          text        NOT NULL,
  -- whose roles limit those of the key
  created_by      text        NOT NULL,
  name            text        NOT NULL,
  roles           text[]      NOT NULL,
  scopes          text[]      NOT NULL,
  -- SHA-256 of the secret, which has 256 random bits
  secret_hash     bytea       NOT NULL,
  -- the secret before the last rotation, and until when it counts
  old_secret_hash bytea,
  old_until       timestamptz,
  expires_at      timestamptz,
  created_at      timestamptz NOT NULL DEFAULT now(),
  rotated_at      timestamptz,
  last_used_at    timestamptz,
  revoked_at      timestamptz
);
CREATE INDEX api_keys_newest ON api_keys (tenant, created_at, id);

-- Down Migration

DROP TABLE api_keys, subjects;
ALTER TABLE approvals DROP COLUMN deciders;
ALTER TABLE ingestions DROP COLUMN principal;
ALTER TABLE sources DROP COLUMN principal;
ALTER TABLE schedules DROP COLUMN principal;
ALTER TABLE conversation_messages DROP COLUMN principal;
ALTER TABLE tasks DROP COLUMN principal;
