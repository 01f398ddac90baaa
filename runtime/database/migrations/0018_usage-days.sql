-- Up Migration

-- Sums of the ledger a day, for reports. A trigger keeps them, so that every way in which a call ends counts, also in the
-- version before this one. `shard` lets calls that end at the same time write different rows.
CREATE TABLE usage_days (
  tenant             text            NOT NULL,
  day                date            NOT NULL,
  agent              text            NOT NULL,
  -- provider:model
  model              text            NOT NULL,
  outcome            text            NOT NULL,
  shard              smallint        NOT NULL,
  calls              bigint          NOT NULL,
  input_tokens       bigint          NOT NULL,
  cache_read_tokens  bigint          NOT NULL,
  cache_write_tokens bigint          NOT NULL,
  output_tokens      bigint          NOT NULL,
  cost_usd           numeric(20, 10) NOT NULL,
  PRIMARY KEY (tenant, day, agent, model, outcome, shard)
) WITH (fillfactor = 70);

-- Whether `usage_days` counts the call. Calls from before this migration are counted by the sweep, a few at a time.
ALTER TABLE model_calls ADD COLUMN is_counted boolean NOT NULL DEFAULT false;

CREATE FUNCTION count_usage(call model_calls, factor integer) RETURNS void LANGUAGE sql AS $$
  INSERT INTO usage_days AS u
  VALUES (call.tenant, (call.created_at AT TIME ZONE 'UTC')::date, call.agent, call.provider || ':' || call.model, call.outcome,
    pg_backend_pid() % 32, factor, factor * call.input_tokens, factor * call.cache_read_tokens,
    factor * call.cache_write_tokens, factor * call.output_tokens, factor * call.cost_usd)
  ON CONFLICT (tenant, day, agent, model, outcome, shard) DO UPDATE SET calls = u.calls + excluded.calls,
    input_tokens = u.input_tokens + excluded.input_tokens,
    cache_read_tokens = u.cache_read_tokens + excluded.cache_read_tokens,
    cache_write_tokens = u.cache_write_tokens + excluded.cache_write_tokens,
    output_tokens = u.output_tokens + excluded.output_tokens, cost_usd = u.cost_usd + excluded.cost_usd;
$$;
CREATE FUNCTION model_call_ended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF OLD.is_counted THEN PERFORM count_usage(OLD, -1); END IF;
  END IF;
  -- An open call has its worst case as cost: it counts when it has ended.
  NEW.is_counted = NEW.outcome <> 'open';
  IF NEW.is_counted THEN PERFORM count_usage(NEW, 1); END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER model_call_inserted BEFORE INSERT ON model_calls
  FOR EACH ROW WHEN (NEW.outcome <> 'open') EXECUTE FUNCTION model_call_ended();
CREATE TRIGGER model_call_ended BEFORE UPDATE ON model_calls
  FOR EACH ROW WHEN (OLD.outcome <> NEW.outcome OR NOT OLD.is_counted AND NEW.is_counted) EXECUTE FUNCTION model_call_ended();

-- Down Migration

DROP TRIGGER model_call_inserted ON model_calls;
DROP TRIGGER model_call_ended ON model_calls;
DROP FUNCTION model_call_ended;
DROP FUNCTION count_usage;
ALTER TABLE model_calls DROP COLUMN is_counted;
DROP TABLE usage_days;
