-- Up Migration

-- People outside of the company, as uploads describe them. They belong to their tenant.
CREATE TABLE contacts (
  id         uuid        PRIMARY KEY,
  tenant     text        NOT NULL,
  body       jsonb       NOT NULL,
  -- what the contact was before its first merge; null: nothing was merged into it
  base       jsonb,
  -- contacts that a person has parted from this one: they are not merged again
  apart      uuid[]      NOT NULL DEFAULT '{}',
  -- the words by which it is found
  words      tsvector    NOT NULL,
  revision   integer     NOT NULL DEFAULT 1,
  -- whether the CRM does not have this revision yet
  crm_due    boolean     NOT NULL DEFAULT true,
  crm_id     text,
  crm_error  text,
  synced_at  timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX contacts_of_tenant ON contacts (tenant, id);
CREATE INDEX contacts_by_word ON contacts USING gin (words);
CREATE INDEX contacts_due ON contacts (tenant, id) WHERE crm_due;

-- By what a contact is found again: hashes of its e-mail addresses, its phone numbers, its name at its company.
CREATE TABLE contact_keys (
  tenant     text NOT NULL,
  key        text NOT NULL,
  contact_id uuid NOT NULL REFERENCES contacts ON DELETE CASCADE,
  PRIMARY KEY (tenant, key, contact_id)
);
CREATE INDEX contact_keys_of_contact ON contact_keys (contact_id);

CREATE TABLE contact_ingests (
  id              uuid        PRIMARY KEY,
  tenant          text        NOT NULL,
  subject         text        NOT NULL,
  source          text        NOT NULL,
  format          text        NOT NULL,
  name            text,
  country         text,
  -- the header of a CSV, for the download of rejected lines
  columns         text[],
  -- receiving, running, completed, failed, cancelled
  status          text        NOT NULL,
  lines           integer     NOT NULL DEFAULT 0,
  batches         integer     NOT NULL DEFAULT 0,
  -- the batches before this one are stored
  next_batch      integer     NOT NULL DEFAULT 0,
  added           integer     NOT NULL DEFAULT 0,
  merged          integer     NOT NULL DEFAULT 0,
  unchanged       integer     NOT NULL DEFAULT 0,
  rejected        integer     NOT NULL DEFAULT 0,
  idempotency_key text,
  request_hash    text,
  created_at      timestamptz NOT NULL DEFAULT now(),
  ended_at        timestamptz
);
CREATE UNIQUE INDEX contact_ingests_by_key ON contact_ingests (tenant, subject, idempotency_key)
  WHERE idempotency_key IS NOT NULL;
CREATE INDEX contact_ingests_of_subject ON contact_ingests (tenant, subject, id);
CREATE INDEX contact_ingests_open ON contact_ingests (id) WHERE ended_at IS NULL;

-- Lines that were received and are not stored as contacts yet. A batch is deleted when it is stored.
CREATE TABLE contact_ingest_batches (
  ingest_id uuid    NOT NULL REFERENCES contact_ingests ON DELETE CASCADE,
  number    integer NOT NULL,
  lines     jsonb   NOT NULL,
  PRIMARY KEY (ingest_id, number)
);

CREATE TABLE contact_rejects (
  ingest_id  uuid        NOT NULL REFERENCES contact_ingests ON DELETE CASCADE,
  line       integer     NOT NULL,
  reason     text        NOT NULL,
  fields     jsonb       NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (ingest_id, line)
);
CREATE INDEX contact_rejects_by_age ON contact_rejects (created_at);

-- What was merged into a contact, in this order. A merge that is undone counts no more.
CREATE TABLE contact_merges (
  id            uuid        PRIMARY KEY,
  position      bigint      GENERATED ALWAYS AS IDENTITY,
  tenant        text        NOT NULL,
  contact_id    uuid        NOT NULL,
  ingest_id     uuid        NOT NULL,
  line          integer     NOT NULL,
  -- email, phone, name
  reason        text        NOT NULL,
  incoming      jsonb       NOT NULL,
  -- the contact that was taken into this one, with what it was before its own first merge
  absorbed_id   uuid,
  absorbed_base jsonb,
  created_at    timestamptz NOT NULL DEFAULT now(),
  undone_at     timestamptz,
  -- the contact that an undo made or brought back
  parted_id     uuid
);
CREATE INDEX contact_merges_of_contact ON contact_merges (tenant, contact_id, position);
CREATE INDEX contact_merges_of_ingest ON contact_merges (tenant, ingest_id, position);
CREATE INDEX contact_merges_of_tenant ON contact_merges (tenant, position);

-- Down Migration

DROP TABLE contact_merges;
DROP TABLE contact_rejects;
DROP TABLE contact_ingest_batches;
DROP TABLE contact_ingests;
DROP TABLE contact_keys;
DROP TABLE contacts;
