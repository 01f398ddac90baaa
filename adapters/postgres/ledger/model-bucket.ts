import { sql } from 'kysely';
import type { Database } from '../../../runtime/database/postgres.ts';
import type { ProviderLimits, TakenCall } from '../../../contract/ports/index.ts';

type GateState = {
  /** Whether the circuit is open. */
  down: boolean;
  /** Whether the next probe may be made. */
  due: boolean;
  /** Time until the limits have room or a block ends, in milliseconds. */
  waitMs: number;
};

type TakenState = GateState & Pick<TakenCall, 'nextProbe'>;

type SeenState = GateState & {
  /** The provider has named limits. */
  metered: boolean;
  /** The last call has failed. */
  failing: boolean;
};

/** Reads the state of a model. A model without a row is healthy. */
export async function readGate(db: Database, model: string): Promise<SeenState> {
  const { rows } = await sql<SeenState>`
    select open_since is not null as down, coalesce(probe_at <= now(), true) as due,
      greatest(0, extract(epoch from blocked_until - now()) * 1000)::float8 as "waitMs",
      coalesce(requests_per_minute, tokens_per_minute) is not null as metered, failures > 0 as failing
    from model_gates where model = ${model}`.execute(db);
  return rows[0] ?? { down: false, due: false, waitMs: 0, metered: false, failing: false };
}

type Call = {
  model: string;
  /** The configured limits. Where there is none, the limit that the provider named applies. */
  requestsPerMinute: number | undefined;
  tokensPerMinute: number | undefined;
  /** Estimated tokens of the call. */
  tokens: number;
  /** Time from one probe to the next, in milliseconds. */
  probeMs: number;
};

/**
 * Takes a call from the token buckets and, while the circuit is
 * open, the next probe. It takes either all of them or nothing.
 *
 * A bucket holds the limit of one minute and refills continuously. A call that is larger
 * than the bucket is let through when the bucket is full; the bucket then goes below zero.
 *
 * @returns the state before the call, or undefined when the model has no row yet
 */
export async function takeCall(
  db: Database,
  { model, requestsPerMinute, tokensPerMinute, tokens, probeMs }: Call,
): Promise<TakenState | undefined> {
  // The row is locked first, so that its newest version is read. When the wait for the lock was
  // long, `now()` is older than that version: `greatest` keeps the clock from running backwards.
  const { rows } = await sql<TakenState>`
    with gate as (
      select open_since is not null as down, coalesce(probe_at <= now(), true) as due,
        coalesce(extract(epoch from blocked_until - now()) * 1000, 0)::float8 as blocked_ms,
        coalesce(${requestsPerMinute ?? null}::float8, requests_per_minute) as requests_limit,
        coalesce(${tokensPerMinute ?? null}::float8, tokens_per_minute) as tokens_limit,
        requests_left, tokens_left,
        greatest(0, extract(epoch from now() - refilled_at))::float8 / 60 as minutes
      from model_gates where model = ${model} for update
    ), bucket as (
      select down, due, blocked_ms, requests_limit, tokens_limit,
        least(requests_limit, coalesce(requests_left + minutes * requests_limit, requests_limit)) as requests,
        least(tokens_limit, coalesce(tokens_left + minutes * tokens_limit, tokens_limit)) as tokens
      from gate
    ), verdict as (
      select down, due, requests, tokens, greatest(0, blocked_ms, (least(1, requests_limit) - requests) / requests_limit * 60000,
        (least(${tokens}::float8, tokens_limit) - tokens) / tokens_limit * 60000) as wait_ms
      from bucket
    ), taken as (
      update model_gates g set
        requests_left = v.requests - 1,
        tokens_left = v.tokens - ${tokens}::float8,
        refilled_at = greatest(g.refilled_at, now()),
        probe_at = case when v.down then now() + ${probeMs}::float8 * interval '1 millisecond' else g.probe_at end
      from verdict v
      where g.model = ${model} and (v.due or not v.down) and v.wait_ms <= 0
      returning case when v.down then g.probe_at::text end as next_probe
    )
    select down, due, wait_ms as "waitMs", (select next_probe from taken) as "nextProbe" from verdict`.execute(db);
  return rows[0];
}

/**
 * Undoes `takeCall`. A bucket that would have more than its limit has its limit the next time. The circuit may have
 * closed, or let another probe through, since then: its time stays.
 */
export async function giveBack(db: Database, model: string, { tokens, nextProbe }: TakenCall): Promise<void> {
  await sql`
    update model_gates set requests_left = requests_left + 1, tokens_left = tokens_left + ${tokens}::float8,
      probe_at = case when open_since is not null and probe_at = ${nextProbe}::timestamptz then now() else probe_at end
    where model = ${model}`.execute(db);
}

/** Lets no call to a model through for so long, in milliseconds. A longer block stays. */
export async function blockModel(db: Database, model: string, blockMs: number): Promise<void> {
  await sql`
    insert into model_gates as g (model, blocked_until)
    values (${model}, now() + ${blockMs}::float8 * interval '1 millisecond')
    on conflict (model) do update set blocked_until = greatest(g.blocked_until, excluded.blocked_until)`.execute(db);
}

/** Inserts the row of a model, unless it is there. */
export async function insertGate(db: Database, model: string): Promise<void> {
  await sql`insert into model_gates (model) values (${model}) on conflict (model) do nothing`.execute(db);
}

/**
 * Applies a response: closes the circuit, corrects the estimate of the call and stores
 * the limits that the provider named. Writes only when one of these changes something.
 *
 * The rest that a provider reports is used only for a bucket that is not in
 * use yet. It was right when the response began, which may be minutes ago.
 *
 * @param unused estimated tokens that the call did not use; negative when it used more
 * @returns whether the circuit was open
 */
export async function learnLimits(
  db: Database,
  model: string,
  { limits, unused }: { limits: ProviderLimits; unused: number },
): Promise<boolean> {
  const requests = countOf(limits.requestsPerMinute);
  const tokens = countOf(limits.tokensPerMinute);
  const { rows } = await sql<{ down: boolean }>`
    with gate as (
      select open_since is not null as down from model_gates
      where model = ${model} and (failures > 0 or open_since is not null
        or requests_per_minute is distinct from coalesce(${requests}::int, requests_per_minute)
        or tokens_per_minute is distinct from coalesce(${tokens}::int, tokens_per_minute)
        or (${unused}::float8 <> 0 and tokens_left is not null and refilled_at > now() - interval '2 minutes'))
      for update
    ), changed as (
      update model_gates g set
        failures = 0, failed_at = null, open_since = null, probe_at = null,
        requests_per_minute = coalesce(${requests}::int, requests_per_minute),
        tokens_per_minute = coalesce(${tokens}::int, tokens_per_minute),
        requests_left = coalesce(requests_left, ${leftOf(limits.requestsLeft)}::float8),
        tokens_left = coalesce(tokens_left + ${unused}::float8, ${leftOf(limits.tokensLeft)}::float8),
        refilled_at = coalesce(refilled_at, now())
      from gate where g.model = ${model}
    )
    select down from gate`.execute(db);
  return rows[0]?.down ?? false;
}

/** A limit as the `int` column holds it, or null when the provider named none above zero. */
const countOf = (limit: number | undefined) =>
  limit !== undefined && limit >= 1 ? Math.min(Math.floor(limit), 2_147_483_647) : null;
const leftOf = (left: number | undefined) => (left !== undefined && left >= 0 ? left : null);
