-- Up Migration

-- Whose session it is, for the audit log when it ends. Sessions from before have neither; they end within a day.
ALTER TABLE browser_sessions ADD COLUMN tenant text, ADD COLUMN subject text;

-- What workers have done, in the transaction of what they did. They have no key: the API takes it into the audit log.
CREATE TABLE audit_pending (
  id            bigint         GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- within what a Date of JavaScript holds: a time beyond would keep all rows behind it from the log
  at            timestamptz(3) NOT NULL DEFAULT now() CHECK (at BETWEEN '2000-01-01' AND '2200-01-01'),
  tenant        text           NOT NULL,
  subject       text           NOT NULL,
  via           text           NOT NULL,
  action        text           NOT NULL,
  resource_type text           NOT NULL,
  resource_id   text           NOT NULL,
  outcome       text           NOT NULL,
  code          text,
  client        text
);

-- Down Migration

DROP TABLE audit_pending;
ALTER TABLE browser_sessions DROP COLUMN tenant, DROP COLUMN subject;
