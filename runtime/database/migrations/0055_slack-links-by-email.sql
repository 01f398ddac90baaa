-- Up Migration
-- Outside a transaction

-- The address that a token named with `email_verified`, and when that token was issued. Only of the domains of
-- SLACK_LINK_BY_EMAIL.
ALTER TABLE subjects ADD COLUMN IF NOT EXISTS email text, ADD COLUMN IF NOT EXISTS email_at timestamptz;
DROP INDEX CONCURRENTLY IF EXISTS subjects_by_email;
CREATE INDEX CONCURRENTLY subjects_by_email ON subjects (tenant, email) WHERE email IS NOT NULL;

-- `email`: both sides have one address. Such a link is judged again each time when it is used.
ALTER TABLE slack_links ADD COLUMN IF NOT EXISTS made_by text NOT NULL DEFAULT 'sign_in';
ALTER TABLE slack_links
  DROP CONSTRAINT IF EXISTS slack_links_made_by,
  ADD CONSTRAINT slack_links_made_by CHECK (made_by IN ('sign_in', 'email')) NOT VALID;
ALTER TABLE slack_links VALIDATE CONSTRAINT slack_links_made_by;

-- Slack users whose link was ended by them or by an operator: their address makes none until they link themselves.
CREATE TABLE IF NOT EXISTS slack_unlinked (
  team        text        NOT NULL,
  user_id     text        NOT NULL,
  unlinked_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (team, user_id)
);

ALTER TABLE audit_pending
  DROP CONSTRAINT IF EXISTS audit_pending_action,
  ADD CONSTRAINT audit_pending_action CHECK ((via, action) IN (
    ('schedule', 'task.start'), ('schedule', 'schedule.run'), ('expiry', 'approval.expire'),
    ('cli', 'tenant.add'), ('cli', 'tenant.suspend'), ('cli', 'tenant.resume'), ('cli', 'tenant.limit'),
    ('slack', 'slack.link'), ('slack', 'slack.unlink'), ('cli', 'slack.unlink'),
    ('slack', 'slack.link.email'), ('slack', 'slack.unlink.email'),
    ('cli', 'slack.workspace.allow'), ('cli', 'slack.workspace.remove'), ('cli', 'feedback.read')
  )) NOT VALID;
ALTER TABLE audit_pending VALIDATE CONSTRAINT audit_pending_action;

-- Down Migration

-- The version before would take them for links that people have made, and judge none again.
DELETE FROM slack_links WHERE made_by = 'email';
ALTER TABLE slack_links DROP COLUMN made_by;
DROP TABLE slack_unlinked;
ALTER TABLE subjects DROP COLUMN email_at, DROP COLUMN email;
-- Rows that are there stay, and go into the log.
ALTER TABLE audit_pending
  DROP CONSTRAINT audit_pending_action,
  ADD CONSTRAINT audit_pending_action CHECK ((via, action) IN (
    ('schedule', 'task.start'), ('schedule', 'schedule.run'), ('expiry', 'approval.expire'),
    ('cli', 'tenant.add'), ('cli', 'tenant.suspend'), ('cli', 'tenant.resume'), ('cli', 'tenant.limit'),
    ('slack', 'slack.link'), ('slack', 'slack.unlink'), ('cli', 'slack.unlink'),
    ('cli', 'slack.workspace.allow'), ('cli', 'slack.workspace.remove'), ('cli', 'feedback.read')
  )) NOT VALID;
