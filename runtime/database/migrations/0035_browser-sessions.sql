-- Up Migration

-- Sign-ins in browsers. The cookie holds the id; here is its SHA-256 alone.
CREATE TABLE browser_sessions (
  id_hash bytea PRIMARY KEY,
  issuer text NOT NULL,
  -- What the provider calls the person and the session, for its logout requests.
  sub text NOT NULL,
  sid text,
  -- Access, refresh and ID token, encrypted with a key of ALFRED_SESSION_KEY.
  tokens bytea NOT NULL,
  -- When the access token is to be replaced, and until when a process is about to do that.
  refresh_at timestamptz NOT NULL,
  refreshing_until timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  used_at timestamptz NOT NULL DEFAULT now(),
  ends_at timestamptz NOT NULL
);
CREATE INDEX browser_sessions_by_sub ON browser_sessions (issuer, sub);
CREATE INDEX browser_sessions_by_end ON browser_sessions (ends_at);

-- Logout tokens of providers count once.
CREATE TABLE used_logout_tokens (
  issuer text NOT NULL,
  jti text NOT NULL,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (issuer, jti)
);

-- Down Migration

DROP TABLE used_logout_tokens;
DROP TABLE browser_sessions;
