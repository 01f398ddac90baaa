import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { CallLeases } from '../../../contract/ports/index.ts';
import type { Logger } from '../../../runtime/logger.ts';

/** From one sign of life of a session to the next, in milliseconds. Also the longest wait for an answer to it. */
const pingMs = 5_000;
/** A session that gave no sign of life for so long holds nothing: its process hangs. */
const silentS = 60;
/** A lost connection is opened again after so long. */
const reconnectMs = 250;
/** After Postgres was away, the living processes need less than this to take their leases again. */
const settleMs = 3_000;

/** The server notices within about 20 s that a machine is gone which could not close its connection. */
const noticeLostMachines = `
  select set_config('tcp_keepalives_idle', '5', false), set_config('tcp_keepalives_interval', '5', false),
    set_config('tcp_keepalives_count', '3', false), set_config('tcp_user_timeout', '20000', false)`;

/**
 * Leases as advisory locks of one session per process. Postgres ends them with the session: within milliseconds when
 * the process is killed, because its connection closes. A process that is slow or paused keeps its leases.
 *
 * @param databaseUrl address of Postgres itself: behind a pooler that shares sessions, the locks stay with the session
 */
export function createCallLeases(
  databaseUrl: string,
  log: Pick<Logger, 'warn'>,
): CallLeases & { close(): Promise<void> } {
  /** Keys that this process wants to hold, and those that its session holds. */
  const wanted = new Set<string>();
  let locked = new Set<string>();
  let session: { client: pg.Client; since: number } | undefined;
  let isSyncing = false;
  let isClosed = false;
  let ping: NodeJS.Timeout | undefined;

  const drop = (client: pg.Client, error: unknown) => {
    if (session?.client !== client) return;
    session = undefined;
    locked = new Set();
    clearInterval(ping);
    client.end().catch(() => {});
    if (isClosed) return;
    log.warn({ error: error instanceof Error ? error.message : undefined }, 'the session of the call leases was lost');
    void sync();
  };

  const connect = async (): Promise<pg.Client> => {
    const client = new pg.Client({
      connectionString: databaseUrl,
      application_name: 'alfred leases',
      connectionTimeoutMillis: 5_000,
      query_timeout: pingMs,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
    });
    client.on('error', (error) => drop(client, error));
    client.on('end', () => drop(client, undefined));
    await client.connect();
    if (isClosed) {
      await client.end();
      throw new Error('The call leases are closed.');
    }
    await client.query(noticeLostMachines).catch(() => {});
    session = { client, since: performance.now() };
    ping = setInterval(() => client.query('select 1').catch((error: unknown) => drop(client, error)), pingMs);
    ping.unref();
    return client;
  };

  /** Makes the session hold what is wanted. Changes that come meanwhile go into the next statement together. */
  const sync = async (): Promise<void> => {
    if (isSyncing) return;
    isSyncing = true;
    while (!isClosed) {
      const toLock = [...wanted].filter((key) => !locked.has(key));
      const toUnlock = [...locked].filter((key) => !wanted.has(key));
      if (session && toLock.length === 0 && toUnlock.length === 0) break;
      try {
        const client = session?.client ?? (await connect());
        if (await change(client, toLock, toUnlock)) continue;
      } catch (error) {
        if (session) drop(session.client, error);
      }
      await sleep(reconnectMs, undefined, { ref: false });
    }
    isSyncing = false;
  };

  /** @returns whether everything was done; a lost session of this process may hold a lock for some seconds */
  const change = async (client: pg.Client, toLock: string[], toUnlock: string[]): Promise<boolean> => {
    if (toUnlock.length > 0) {
      await client.query('select pg_advisory_unlock(key) from unnest($1::bigint[]) key', [toUnlock]);
      for (const key of toUnlock) locked.delete(key);
    }
    if (toLock.length === 0) return true;
    const { rows } = await client.query<{ key: string }>(
      'select key::text from unnest($1::bigint[]) key where pg_try_advisory_lock(key)',
      [toLock],
    );
    for (const { key } of rows) locked.add(key);
    return rows.length === toLock.length;
  };

  return {
    open: () => void sync(),

    hold(callId) {
      const key = keyOf(callId);
      wanted.add(key);
      void sync();
      return () => {
        if (wanted.delete(key)) void sync();
      };
    },

    async stateOf(callIds) {
      if (!session) void sync();
      if (!session) return 'unknown';
      const { client, since } = session;
      try {
        const { rows } = await client.query<{ isHeld: boolean }>(holders, [callIds.map(keyOf), silentS]);
        if (rows[0]?.isHeld) return 'held';
        return performance.now() - since < settleMs ? 'unsettled' : 'free';
      } catch (error) {
        drop(client, error);
        return 'unknown';
      }
    },

    async close() {
      isClosed = true;
      clearInterval(ping);
      await session?.client.end().catch(() => {});
    },
  };
}

/** The key of a lock: the second half of the call's id, which is random. */
const keyOf = (callId: string) => BigInt.asIntN(64, BigInt(`0x${callId.replaceAll('-', '').slice(16)}`)).toString();

const holders = `
  select exists (
    select from pg_locks l left join pg_stat_activity a using (pid)
    where l.locktype = 'advisory' and l.granted and l.objsubid = 1
      and l.database = (select oid from pg_database where datname = current_database())
      and ((l.classid::bigint << 32) | l.objid::bigint) = any($1::bigint[])
      and coalesce(a.state_change > clock_timestamp() - make_interval(secs => $2), true)
  ) as "isHeld"`;
