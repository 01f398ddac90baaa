import type { Config } from '../config.ts';
import type { Logger } from '../logger.ts';
import type { Postgres } from './postgres.ts';

/** The least major version of Postgres that Alfred runs on. */
export const leastVersion = 15;

type Server = { version: number; connections: number };

/**
 * What is wrong with a server: too old, or with fewer connections than this process may open.
 *
 * @param server `connections`: how many ordinary users may open altogether
 */
export function faultsOf({ version, connections }: Server, poolSize: number): string[] {
  // The listener for events and the leases of model calls have connections of their own.
  const needed = poolSize + 2;
  return [
    ...(version < leastVersion
      ? [`Postgres is of version ${version}, and Alfred needs ${leastVersion} or newer: upgrade it.`]
      : []),
    ...(connections < needed
      ? [
          `Postgres takes ${connections} connections, and this process alone may open ${needed}: raise max_connections, or lower DATABASE_POOL_SIZE.`,
        ]
      : []),
  ];
}

/** Looks at the server when the process starts, and logs what is wrong with it. A server that is away is left alone. */
export async function checkServer(
  { pool }: Pick<Postgres, 'pool'>,
  config: Pick<Config, 'DATABASE_POOL_SIZE'>,
  log: Logger,
): Promise<void> {
  try {
    const { rows } = await pool.query<Server>(
      `select current_setting('server_version_num')::int / 10000 as version,
         current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int as connections`,
    );
    for (const fault of rows[0] ? faultsOf(rows[0], config.DATABASE_POOL_SIZE) : []) log.error(fault);
  } catch (error) {
    log.debug({ err: error }, 'the version of Postgres could not be read');
  }
}
