-- Up Migration
-- Outside a transaction

-- Tools of MCP servers as the workers see them, and what an operator has accepted of each. There is one row a tool.
CREATE TABLE IF NOT EXISTS mcp_tools (
  server text NOT NULL,
  tool text NOT NULL,
  fingerprint text NOT NULL,
  definition jsonb NOT NULL,
  seen_at timestamptz NOT NULL DEFAULT now(),
  accepted_fingerprint text,
  accepted_definition jsonb,
  accepted_by text,
  accepted_at timestamptz,
  PRIMARY KEY (server, tool)
);

-- What operators accept.
ALTER TABLE audit_pending
  DROP CONSTRAINT IF EXISTS audit_pending_action,
  ADD CONSTRAINT audit_pending_action CHECK ((via, action) IN (
    ('schedule', 'task.start'), ('schedule', 'schedule.run'), ('expiry', 'approval.expire'),
    ('cli', 'tenant.add'), ('cli', 'tenant.suspend'), ('cli', 'tenant.resume'), ('cli', 'tenant.limit'),
    ('slack', 'slack.link'), ('slack', 'slack.unlink'), ('cli', 'slack.unlink'),
    ('slack', 'slack.link.email'), ('slack', 'slack.unlink.email'),
    ('cli', 'slack.workspace.allow'), ('cli', 'slack.workspace.remove'), ('cli', 'feedback.read'),
    ('cli', 'slack.erase'), ('slack', 'slack.workspace.remove'), ('slack', 'slack.workspace.install'),
    ('cli', 'mcp.accept')
  )) NOT VALID;
ALTER TABLE audit_pending VALIDATE CONSTRAINT audit_pending_action;

-- Down Migration

DROP TABLE mcp_tools;

-- Rows that are there stay, and go into the log.
ALTER TABLE audit_pending
  DROP CONSTRAINT audit_pending_action,
  ADD CONSTRAINT audit_pending_action CHECK ((via, action) IN (
    ('schedule', 'task.start'), ('schedule', 'schedule.run'), ('expiry', 'approval.expire'),
    ('cli', 'tenant.add'), ('cli', 'tenant.suspend'), ('cli', 'tenant.resume'), ('cli', 'tenant.limit'),
    ('slack', 'slack.link'), ('slack', 'slack.unlink'), ('cli', 'slack.unlink'),
    ('slack', 'slack.link.email'), ('slack', 'slack.unlink.email'),
    ('cli', 'slack.workspace.allow'), ('cli', 'slack.workspace.remove'), ('cli', 'feedback.read'),
    ('cli', 'slack.erase'), ('slack', 'slack.workspace.remove'), ('slack', 'slack.workspace.install')
  )) NOT VALID;
