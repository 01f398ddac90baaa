import { sql } from 'kysely';
import { maxAttemptsOf } from '../../../contract/errors.ts';
import type { Logger } from '../../../runtime/logger.ts';
import type { Metrics } from '../../../runtime/metrics.ts';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { ModelGate } from '../../../contract/ports/index.ts';
import { createHealthyModels } from './healthy-models.ts';
import { blockModel, giveBack, insertGate, learnLimits, readGate, takeCall } from './model-bucket.ts';

type Options = {
  /** Failures in a row, within a minute, that open a circuit. */
  failures: number;
  /** From one probe to the next while a circuit is open, in milliseconds. */
  probeMs: number;
  metrics?: Pick<Metrics, 'modelCircuitOpen' | 'modelCircuitOpened'> | undefined;
  log?: Pick<Logger, 'info' | 'warn'> | undefined;
};

/** The longest wait that `enter` returns. The caller asks again afterwards. */
const longestWaitMs = 60_000;
/** The longest block by a `retry-after` header: a wrong header must not block a model for days. */
const longestBlockMs = 3_600_000;

/**
 * A circuit breaker and a token bucket for each model, shared by all workers: one row, timed by the database's clock.
 * Nothing is written while a model is healthy and has no limits.
 */
export function createModelGate(db: Database, { failures, probeMs, metrics, log }: Options): ModelGate {
  /** Limits of models whose rows this process has inserted, so that it does so once. */
  const knownLimits = new Map<string, string>();
  const healthy = createHealthyModels();
  const nextProbe = sql`now() + ${probeMs}::float8 * interval '1 millisecond'`;
  const noteOpened = (model: string, count: number, reason: keyof typeof openedBecause) => {
    metrics?.modelCircuitOpened.inc({ model });
    log?.warn({ model, failures: count, reason }, openedBecause[reason]);
  };
  const setMetric = (model: string, down: boolean) => metrics?.modelCircuitOpen.set({ model }, down ? 1 : 0);

  const recordFailure: ModelGate['recordFailure'] = async (model, reason) => {
    const enough = reason === 'auth' ? 1 : failures;
    const recent = sql`case when g.failed_at > now() - interval '1 minute' then g.failures + 1 else 1 end`;
    // An open circuit stays open. `probe_at` was moved on when the failed probe was let through.
    const { rows } = await sql<{ down: boolean; opened: boolean }>`
      insert into model_gates as g (model, failures, failed_at, open_since, probe_at)
      values (${model}, 1, now(), case when ${enough}::int <= 1 then now() end,
        case when ${enough}::int <= 1 then ${nextProbe} end)
      on conflict (model) do update set
        failures = ${recent},
        failed_at = now(),
        open_since = case when g.open_since is null and ${recent} >= ${enough}::int then now() else g.open_since end,
        probe_at = case when g.open_since is null and ${recent} >= ${enough}::int then ${nextProbe} else g.probe_at end
      returning open_since is not null as down, coalesce(open_since = now(), false) as opened`.execute(db);
    healthy.forget(model);
    const { down = false, opened = false } = rows[0] ?? {};
    setMetric(model, down);
    if (opened) noteOpened(model, enough, reason ?? 'outage');
    return down;
  };

  return {
    async enter(facts, tokens) {
      const { name: model, requestsPerMinute, tokensPerMinute } = facts;
      if (requestsPerMinute === undefined && tokensPerMinute === undefined && !knownLimits.has(model)) {
        if (healthy.has(model)) return { open: true };
        const isHealthyNow = healthy.beginRead(model);
        const { down, due, waitMs, metered, failing } = await readGate(db, model);
        setMetric(model, down);
        if (!down && waitMs === 0 && !metered && !failing) isHealthyNow();
        if (down && !due) return { open: false, reason: 'outage' };
        if (waitMs > 0) return { open: false, reason: 'rate', retryAfterMs: withJitter(waitMs) };
        if (!down && !metered) return { open: true };
      }
      const call = { model, requestsPerMinute, tokensPerMinute, tokens, probeMs };
      let taken = await takeCall(db, call);
      while (!taken) {
        await insertGate(db, model);
        taken = await takeCall(db, call);
      }
      setMetric(model, taken.down);
      if (taken.down && !taken.due) return { open: false, reason: 'outage' };
      if (taken.waitMs > 0) return { open: false, reason: 'rate', retryAfterMs: withJitter(taken.waitMs) };
      return { open: true, taken: { tokens, nextProbe: taken.nextProbe } };
    },

    leave: (model, taken) => giveBack(db, model, taken),

    async recordSuccess(model, { tokens, estimated, limits = {} }) {
      const { requestsPerMinute, tokensPerMinute } = limits;
      const named = `${requestsPerMinute}/${tokensPerMinute}`;
      if ((requestsPerMinute ?? tokensPerMinute) !== undefined && knownLimits.get(model) !== named) {
        await insertGate(db, model);
        knownLimits.set(model, named);
        // A row that was just seen without a failure, a block or limits has nothing that a success changes.
      } else if (healthy.has(model)) return;
      const wasDown = await learnLimits(db, model, { limits, unused: estimated - tokens });
      setMetric(model, false);
      if (wasDown) log?.info({ model }, 'a model answers again; its circuit is closed');
    },

    recordFailure,

    async recordDenial(model, denials) {
      if (denials === 1) return recordFailure(model);
      if (denials < maxAttemptsOf('model_denied')) return (await readGate(db, model)).down;
      // A success sets `failures` to 0.
      const { rows } = await sql<{ opened: boolean }>`
        update model_gates set open_since = coalesce(open_since, now()),
          probe_at = case when open_since is null then ${nextProbe} else probe_at end
        where model = ${model} and failures > 0
        returning open_since = now() as opened`.execute(db);
      healthy.forget(model);
      const [row] = rows;
      if (row) setMetric(model, true);
      if (row?.opened) noteOpened(model, denials, 'denied');
      return row !== undefined;
    },

    async recordRateLimit(model, retryAfterMs) {
      const blockMs = Math.min(Math.max(retryAfterMs, 0), longestBlockMs);
      await blockModel(db, model, blockMs);
      healthy.forget(model);
    },
  };
}

/** What the log says when a circuit opens. */
const openedBecause = {
  auth: 'a provider refuses our key, our account or this model; its circuit is open',
  denied: 'a provider denies what is asked of this model, and no other call succeeds; its circuit is open',
  outage: 'a model does not answer; its circuit is open',
};

/** Adds up to a fifth of random jitter, so that waiting callers do not return at the same time. */
const withJitter = (waitMs: number) =>
  Math.ceil(Math.min(waitMs + 100 * Math.random(), longestWaitMs / 1.2) * (1 + 0.2 * Math.random()));
