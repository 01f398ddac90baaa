-- Up Migration

-- Who has asked in a thread. In a channel the conversation is that of the channel: four eyes and the stop button need
-- people.
ALTER TABLE slack_threads ADD COLUMN askers text[] NOT NULL DEFAULT '{}';
UPDATE slack_threads t SET askers = p.askers
FROM (
  SELECT team, channel, thread_ts, array_agg(DISTINCT user_id) AS askers FROM slack_posts GROUP BY team, channel, thread_ts
) p
WHERE p.team = t.team AND p.channel = t.channel AND p.thread_ts = t.thread_ts;

-- Down Migration

ALTER TABLE slack_threads DROP COLUMN askers;
