import pg from 'pg';

/** From one sign of life of a session to the next, in milliseconds. Also the longest wait for an answer to it. */
const pingMs = 5_000;

/** The server notices within about 20 s that a machine is gone which could not close its connection. */
const noticeLostMachines = `
  select set_config('tcp_keepalives_idle', '5', false), set_config('tcp_keepalives_interval', '5', false),
    set_config('tcp_keepalives_count', '3', false), set_config('tcp_user_timeout', '20000', false)`;

/** After Postgres was away, the living processes need less than this to take their leases again. */
const settleMs = 3_000;
const readPostgresAge = `
  select (1000 * extract(epoch from clock_timestamp() - pg_postmaster_start_time()))::float8 as "ageMs"`;

export type LeaseSession = {
  client: pg.Client;
  /** From when on a free lease means that its process is gone, on the clock of `performance.now()`. */
  settledAt: number;
  close(): Promise<void>;
};

/**
 * Opens a session that gives signs of life and notices soon when its connection is gone.
 *
 * @param options.isFirst false: this process has lost a session before
 * @param options.onLost called when the connection breaks
 */
export async function openLeaseSession(
  databaseUrl: string,
  { isFirst, onLost }: { isFirst: boolean; onLost: (session: LeaseSession, error: unknown) => void },
): Promise<LeaseSession> {
  const client = new pg.Client({
    connectionString: databaseUrl,
    application_name: 'alfred leases',
    connectionTimeoutMillis: 5_000,
    query_timeout: pingMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  });
  const pings: NodeJS.Timeout[] = [];
  const session: LeaseSession = {
    client,
    settledAt: Infinity,
    async close() {
      for (const ping of pings) clearInterval(ping);
      await client.end().catch(() => {});
    },
  };
  client.on('error', (error) => onLost(session, error));
  client.on('end', () => onLost(session, undefined));
  await client.connect();
  await client.query(noticeLostMachines).catch(() => {});
  const age = await client.query<{ ageMs: number }>(readPostgresAge).catch(() => undefined);
  // What ended the session before may have ended those of others. A first session is new because its process is.
  const quietMs = isFirst ? (age?.rows[0]?.ageMs ?? 0) : 0;
  session.settledAt = performance.now() + Math.max(0, settleMs - quietMs);
  const giveSign = () => void client.query('select 1').catch((error: unknown) => onLost(session, error));
  pings.push(setInterval(giveSign, pingMs).unref());
  return session;
}

/**
 * Whether other clients of this address get the session too, as behind a pooler in transaction mode. Then the locks of
 * a session outlive its client.
 */
export async function isShared(databaseUrl: string, { client }: Pick<LeaseSession, 'client'>): Promise<boolean> {
  const other = new pg.Client({
    connectionString: databaseUrl,
    connectionTimeoutMillis: pingMs,
    query_timeout: pingMs,
  });
  other.on('error', () => {});
  const sessionOf = async (of: pg.Client, text: string): Promise<unknown> => {
    const { rows } = await of.query<{ pid: number }>(text);
    return rows[0]?.pid;
  };
  const pid = 'select pg_backend_pid() as pid';
  try {
    await other.connect();
    const before = await sessionOf(client, pid);
    // A pooler gives it a session that is free, and keeps it for the transaction.
    await other.query('begin');
    if ((await sessionOf(other, pid)) === before) return true;
    return (await sessionOf(client, pid)) !== before;
  } finally {
    await other.end().catch(() => {});
  }
}
