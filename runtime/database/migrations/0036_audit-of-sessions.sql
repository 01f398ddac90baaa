-- Up Migration

-- Whose session it is, for the audit log when it ends. Sessions from before have neither; they end within a day.
ALTER TABLE browser_sessions ADD COLUMN tenant text, ADD COLUMN subject text;

-- Down Migration

ALTER TABLE browser_sessions DROP COLUMN tenant, DROP COLUMN subject;
