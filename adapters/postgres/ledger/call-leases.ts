import { setTimeout as sleep } from 'node:timers/promises';
import type { CallLeases } from '../../../contract/ports/index.ts';
import type { Logger } from '../../../runtime/logger.ts';
import { isShared, openLeaseSession, type LeaseSession } from './lease-session.ts';

/** A session that gave no sign of life for so long holds nothing: its process hangs. */
const silentS = 60;
/** A lost connection is opened again after so long. */
const reconnectMs = 250;
const shared =
  'The leases of model calls take no effect, as behind a pooler in transaction mode: the call of a worker that died is made again only when the pooler closes its session. Set DATABASE_DIRECT_URL to an address without the pooler.';
/** A lease that has ended is freed after so long, or together with the next one that is taken. */
const freeMs = 500;

/**
 * Leases as advisory locks of one session per process. Postgres ends them with the session: within milliseconds when
 * the process is killed, because its connection closes. A process that is slow or paused keeps its leases.
 *
 * @param urlOf address of Postgres itself, called for each connection, because the password may have changed. Behind a
 *   pooler that shares sessions, the locks would stay with the session
 */
export function createCallLeases(
  urlOf: () => string,
  log: Pick<Logger, 'warn' | 'error'>,
): CallLeases & { close(): Promise<void> } {
  const wanted = createWantedKeys();
  /** Keys that its session has locked. */
  let locked = new Set<string>();
  let session: LeaseSession | undefined;
  let isSyncing = false;
  let hasOpened = false;
  let isClosed = false;
  let freeing: NodeJS.Timeout | undefined;

  const drop = (lost: LeaseSession, error: unknown) => {
    if (session !== lost) return;
    session = undefined;
    locked = new Set();
    void lost.close();
    if (isClosed) return;
    log.warn({ error: error instanceof Error ? error.message : undefined }, 'the session of the call leases was lost');
    void sync();
  };

  const open = async (): Promise<LeaseSession> => {
    const opened = await openLeaseSession(urlOf(), { isFirst: !hasOpened, onLost: drop });
    if (isClosed) {
      await opened.close();
      throw new Error('The call leases are closed.');
    }
    session = opened;
    if (!hasOpened) void reportPooler(urlOf(), opened, log);
    hasOpened = true;
    return opened;
  };

  /** Makes the session lock what is wanted. Changes that come meanwhile go into the next statement together. */
  const sync = async (): Promise<void> => {
    if (isSyncing) return;
    isSyncing = true;
    while (!isClosed) {
      const toLock = wanted.keys().filter((key) => !locked.has(key));
      const toUnlock = [...locked].filter((key) => !wanted.has(key));
      if (session && toLock.length === 0 && toUnlock.length === 0) break;
      try {
        if (await change(session ?? (await open()), toLock, toUnlock)) continue;
      } catch (error) {
        if (session) drop(session, error);
      }
      await sleep(reconnectMs, undefined, { ref: false });
    }
    isSyncing = false;
  };

  /** @returns whether everything was done; a lost session of this process may keep a lock for some seconds */
  const change = async ({ client }: LeaseSession, toLock: string[], toUnlock: string[]): Promise<boolean> => {
    const { rows } = await client.query<{ key: string }>({ ...changeLocks, values: [toUnlock, toLock] });
    for (const key of toUnlock) locked.delete(key);
    for (const { key } of rows) locked.add(key);
    return rows.length === toLock.length;
  };

  return {
    open: () => void sync(),

    hold(callId) {
      const key = keyOf(callId);
      const giveBack = wanted.add(key);
      void sync();
      return () => {
        if (!giveBack() || freeing) return;
        freeing = setTimeout(() => {
          freeing = undefined;
          void sync();
        }, freeMs).unref();
      };
    },

    async stateOf(callIds) {
      if (!session) void sync();
      if (!session) return 'unknown';
      const current = session;
      try {
        const keys = callIds.map(keyOf);
        const { rows } = await current.client.query<{ isLeased: boolean }>(isAnyLeased, [keys, silentS]);
        if (rows[0]?.isLeased) return 'leased';
        return performance.now() < current.settledAt ? 'unsettled' : 'free';
      } catch (error) {
        drop(current, error);
        return 'unknown';
      }
    },

    async close() {
      isClosed = true;
      clearTimeout(freeing);
      await session?.close();
    },
  };
}

/** Keys that this process wants to lock. Each is counted, because attempts at one call may overlap. */
function createWantedKeys() {
  const counts = new Map<string, number>();
  return {
    keys: () => [...counts.keys()],
    has: (key: string) => counts.has(key),
    /** @returns gives the key back, once. It returns whether no one wants the key any more */
    add(key: string): () => boolean {
      counts.set(key, (counts.get(key) ?? 0) + 1);
      let isGivenBack = false;
      return () => {
        if (isGivenBack) return false;
        isGivenBack = true;
        const others = (counts.get(key) ?? 1) - 1;
        if (others > 0) counts.set(key, others);
        else counts.delete(key);
        return others === 0;
      };
    },
  };
}

/** An error of the connections says nothing about a pooler. */
async function reportPooler(databaseUrl: string, opened: LeaseSession, log: Pick<Logger, 'error'>): Promise<void> {
  if (await isShared(databaseUrl, opened).catch(() => false)) log.error(shared);
}

/** The key of a lock: the second half of the call's id, which is random. */
const keyOf = (callId: string) => BigInt.asIntN(64, BigInt(`0x${callId.replaceAll('-', '').slice(16)}`)).toString();

/** Frees the first keys and takes the second ones. A statement with a name is prepared once in each session. */
const changeLocks = {
  name: 'change_locks',
  text: `
    with freed as (select pg_advisory_unlock(key) from unnest($1::bigint[]) key)
    select key::text from unnest($2::bigint[]) key
    where (select count(*) from freed) >= 0 and pg_try_advisory_lock(key)`,
};

const isAnyLeased = `
  select exists (
    select from pg_locks l left join pg_stat_activity a using (pid)
    where l.locktype = 'advisory' and l.granted and l.objsubid = 1
      and l.database = (select oid from pg_database where datname = current_database())
      and ((l.classid::bigint << 32) | l.objid::bigint) = any($1::bigint[])
      and coalesce(a.state_change > clock_timestamp() - make_interval(secs => $2), true)
  ) as "isLeased"`;
