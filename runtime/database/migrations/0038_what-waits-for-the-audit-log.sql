-- Up Migration
-- Outside a transaction

-- What has no key of the log may leave what it can have done, and no entry of a person or of the API. New rows are
-- checked from here on, and those that are there by the next statement, while others write.
ALTER TABLE audit_pending
  DROP CONSTRAINT IF EXISTS audit_pending_action,
  DROP CONSTRAINT IF EXISTS audit_pending_outcome,
  DROP CONSTRAINT IF EXISTS audit_pending_lengths,
  ADD CONSTRAINT audit_pending_action CHECK ((via, action) IN (
    ('schedule', 'task.start'), ('schedule', 'schedule.run'), ('expiry', 'approval.expire'),
    ('cli', 'tenant.add'), ('cli', 'tenant.suspend'), ('cli', 'tenant.resume'), ('cli', 'tenant.limit')
  )) NOT VALID,
  ADD CONSTRAINT audit_pending_outcome CHECK (outcome IN ('ok', 'refused', 'failed')) NOT VALID,
  ADD CONSTRAINT audit_pending_lengths CHECK (
    length(tenant) <= 500 AND length(subject) <= 500 AND length(resource_type) <= 100 AND length(resource_id) <= 500
    AND length(coalesce(code, '')) <= 100 AND length(coalesce(client, '')) <= 500
  ) NOT VALID;
ALTER TABLE audit_pending
  VALIDATE CONSTRAINT audit_pending_action,
  VALIDATE CONSTRAINT audit_pending_outcome,
  VALIDATE CONSTRAINT audit_pending_lengths;

-- Down Migration

ALTER TABLE audit_pending
  DROP CONSTRAINT audit_pending_action,
  DROP CONSTRAINT audit_pending_outcome,
  DROP CONSTRAINT audit_pending_lengths;
