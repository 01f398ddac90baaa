import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { Logger } from '../../../runtime/logger.ts';
import { isFree } from '../ports/ports.ts';
import { StepFailure } from '../step-failure.ts';
import { startChild, type Child, type ChildSpec } from './child.ts';
import { postgresBinaries } from './postgres-binaries.ts';
import {
  assertOwned,
  changeOwner,
  endOrphan,
  initialiseCluster,
  notWritable,
  readOrCreatePassword,
  serverEnvironment,
  stopSignals,
  user,
} from './postgres-data.ts';
import { postgresUser } from './postgres-user.ts';
import { waitUntil } from './wait-until.ts';

export type PostgresServer = { url: string; pid: number; child: Child; stop(): Promise<void> };

type Options = {
  /** Holds the data folder and the password. Created when missing. */
  dir: string;
  port: number;
  /** Settings as `name=value`. */
  flags?: readonly string[];
  /** false: create the data folder without waiting for the disk. For tests. */
  sync?: boolean;
  logFile?: string;
  onSpawn?: ChildSpec['onSpawn'];
  log: Logger;
};

const database = 'alfred';

/** How often a start is repeated while a killed postmaster's shared memory is in use, every 250 ms. */
const maxAttempts = 40;

/**
 * Starts a Postgres server on loopback and creates its data folder at the first start. A postmaster that a killed stack
 * left running on the folder is ended first. After an unclean end Postgres recovers the data itself.
 *
 * @returns `url` is the address of the database `alfred` and contains the password
 * @throws StepFailure with what failed and what to do
 */
export async function startPostgres({
  dir,
  port,
  flags = [],
  sync = true,
  logFile = join(dir, 'postgres.log'),
  onSpawn,
  log,
}: Options): Promise<PostgresServer> {
  const root = resolve(dir);
  const data = join(root, 'data');
  await mkdir(root, { recursive: true }).catch((error: Error) => Promise.reject(notWritable(root, error)));
  const { initdb, postgres } = await postgresBinaries();
  const runAs = postgresUser([postgres, root], data);
  assertOwned(data);
  await changeOwner(data, runAs);
  const password = await readOrCreatePassword(join(root, 'password'));
  await endOrphan(data, log);
  if (!existsSync(join(data, 'PG_VERSION'))) await initialiseCluster({ initdb, root, data, password, runAs, sync });
  const settings = ['listen_addresses=127.0.0.1', `port=${port}`, 'unix_socket_directories=', ...flags].flatMap(
    (flag) => ['-c', flag],
  );
  const { command, args, options } = runAs.wrap(postgres, ['-D', data, ...settings]);
  const start = () =>
    startChild({
      name: 'Postgres',
      command,
      args,
      logFile,
      stopWith: stopSignals,
      onSpawn,
      options: { ...options, cwd: '/', env: serverEnvironment() },
    });
  // Checked first: another Postgres on the port would answer and refuse our password, which would mislead.
  if (!(await isFree(port))) throw portTaken(port);
  const address = (name: string) => `postgres://${user}:${password}@127.0.0.1:${port}/${name}`;

  const child = await startUntilReady(start, address('postgres'), port);
  log.debug({ pid: child.pid, port }, 'Postgres is up');
  return { url: address(database), pid: child.pid, child, stop: () => child.stop() };
}

/**
 * Starts the server and waits until it answers. Sessions of a killed postmaster keep its shared memory for a moment;
 * only for that reason the start is repeated.
 */
async function startUntilReady(start: () => Child, url: string, port: number): Promise<Child> {
  let attempt = 1;
  while (true) {
    const child = start();
    try {
      // After a crash Postgres first replays its write-ahead log, which may take minutes.
      await waitUntil(child, () => ensureDatabase(url), { timeoutMs: 600_000 });
      return child;
    } catch (error) {
      await child.stop();
      const output = child.lastLines();
      if (attempt < maxAttempts && /shared memory block .* is still in use/.test(output)) {
        attempt++;
        await delay(250);
      } else if (/Address already in use/i.test(output)) throw portTaken(port);
      else throw error;
    }
  }
}

const portTaken = (port: number) =>
  new StepFailure(`Port ${port} on 127.0.0.1 is taken, Postgres cannot listen there.`, [
    'set ALFRED_POSTGRES_PORT to a free port, or end what listens there',
  ]);

async function ensureDatabase(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [database]);
    if (!rowCount) await client.query(`create database ${database}`);
  } catch (error) {
    if ((error as { code?: string }).code === '28P01') {
      throw new StepFailure('Postgres refuses the password that is kept beside its data.', [
        'restore the file postgres/password of the data folder, or start clean: npm start -- --fresh',
      ]);
    }
    throw error;
  } finally {
    await client.end().catch(() => undefined);
  }
}
