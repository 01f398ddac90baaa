-- Up Migration
-- Outside a transaction

-- What operators erase, and what becomes of installations in Slack itself.
ALTER TABLE audit_pending
  DROP CONSTRAINT IF EXISTS audit_pending_action,
  ADD CONSTRAINT audit_pending_action CHECK ((via, action) IN (
    ('schedule', 'task.start'), ('schedule', 'schedule.run'), ('expiry', 'approval.expire'),
    ('cli', 'tenant.add'), ('cli', 'tenant.suspend'), ('cli', 'tenant.resume'), ('cli', 'tenant.limit'),
    ('slack', 'slack.link'), ('slack', 'slack.unlink'), ('cli', 'slack.unlink'),
    ('slack', 'slack.link.email'), ('slack', 'slack.unlink.email'),
    ('cli', 'slack.workspace.allow'), ('cli', 'slack.workspace.remove'), ('cli', 'feedback.read'),
    ('cli', 'slack.erase'), ('slack', 'slack.workspace.remove'), ('slack', 'slack.workspace.install')
  )) NOT VALID;
ALTER TABLE audit_pending VALIDATE CONSTRAINT audit_pending_action;

-- Down Migration

-- Rows that are there stay, and go into the log.
ALTER TABLE audit_pending
  DROP CONSTRAINT audit_pending_action,
  ADD CONSTRAINT audit_pending_action CHECK ((via, action) IN (
    ('schedule', 'task.start'), ('schedule', 'schedule.run'), ('expiry', 'approval.expire'),
    ('cli', 'tenant.add'), ('cli', 'tenant.suspend'), ('cli', 'tenant.resume'), ('cli', 'tenant.limit'),
    ('slack', 'slack.link'), ('slack', 'slack.unlink'), ('cli', 'slack.unlink'),
    ('slack', 'slack.link.email'), ('slack', 'slack.unlink.email'),
    ('cli', 'slack.workspace.allow'), ('cli', 'slack.workspace.remove'), ('cli', 'feedback.read')
  )) NOT VALID;
