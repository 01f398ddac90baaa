-- Up Migration

-- The trigger adds a call to the sums itself: a function of SQL, called by it, cost as much as the statement around it.
-- `count_usage` stays for a call that was counted before and answers late.
CREATE OR REPLACE FUNCTION model_call_ended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF OLD.is_counted THEN PERFORM count_usage(OLD, -1); END IF;
  END IF;
  -- An open call has its worst case as cost: it counts when it has ended.
  NEW.is_counted = NEW.outcome <> 'open';
  IF NEW.is_counted THEN
    INSERT INTO usage_days AS u
    VALUES (NEW.tenant, (NEW.created_at AT TIME ZONE 'UTC')::date, NEW.agent, NEW.provider || ':' || NEW.model, NEW.outcome,
      pg_backend_pid() % 32, 1, NEW.input_tokens, NEW.cache_read_tokens, NEW.cache_write_tokens, NEW.output_tokens,
      NEW.cost_usd)
    ON CONFLICT (tenant, day, agent, model, outcome, shard) DO UPDATE SET calls = u.calls + excluded.calls,
      input_tokens = u.input_tokens + excluded.input_tokens,
      cache_read_tokens = u.cache_read_tokens + excluded.cache_read_tokens,
      cache_write_tokens = u.cache_write_tokens + excluded.cache_write_tokens,
      output_tokens = u.output_tokens + excluded.output_tokens, cost_usd = u.cost_usd + excluded.cost_usd;
  END IF;
  RETURN NEW;
END $$;

-- Down Migration

CREATE OR REPLACE FUNCTION model_call_ended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF OLD.is_counted THEN PERFORM count_usage(OLD, -1); END IF;
  END IF;
  -- An open call has its worst case as cost: it counts when it has ended.
  NEW.is_counted = NEW.outcome <> 'open';
  IF NEW.is_counted THEN PERFORM count_usage(NEW, 1); END IF;
  RETURN NEW;
END $$;
