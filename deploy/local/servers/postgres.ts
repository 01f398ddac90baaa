import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { chmod, chown, mkdir, readFile, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import type { Logger } from '../../../runtime/logger.ts';
import { startChild, type Child, type ChildSpec } from './child.ts';
import { binaries } from './postgres-binaries.ts';
import { postgresUser, type RunAs } from './postgres-user.ts';
import { commandLine, endProcess, isAlive } from '../process-table.ts';
import { isFree } from '../ports/ports.ts';
import { StepFailure } from '../step-failure.ts';
import { waitUntil } from './wait-until.ts';

export type PostgresServer = { url: string; pid: number; child: Child; stop(): Promise<void> };

type Options = {
  /** Holds the data folder and the password; made when missing. */
  dir: string;
  port: number;
  /** Settings as `name=value`. */
  flags?: readonly string[];
  /** false: do not wait for the disk when the data folder is made; for tests. */
  sync?: boolean;
  logFile?: string;
  onSpawn?: ChildSpec['onSpawn'];
  log: Logger;
};

const user = 'alfred';
const database = 'alfred';

/** `fast` ends sessions and writes a checkpoint; `immediate` leaves recovery to the next start. */
const stopWith = [
  ['SIGINT', 15_000],
  ['SIGQUIT', 5_000],
  ['SIGKILL', 5_000],
] as const;

/**
 * Starts a Postgres of our own on loopback, making its data folder at the first start. A postmaster that a killed stack
 * left on the same folder is ended first; data after an unclean end are recovered by Postgres itself.
 *
 * @returns the address of the database `alfred`, password included
 * @throws StepFailure that says what failed and what to do
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
  const { initdb, postgres } = await binaries();
  const as = postgresUser([postgres, root], data);
  await assertOurs(data);
  await handOver(data, as);
  const password = await readOrMakePassword(join(root, 'password'));
  await endOrphan(data, log);
  if (!existsSync(join(data, 'PG_VERSION'))) await initialise({ initdb, root, data, password, as, sync });
  const settings = ['listen_addresses=127.0.0.1', `port=${port}`, 'unix_socket_directories=', ...flags].flatMap(
    (flag) => ['-c', flag],
  );
  const { command, args, options } = as.wrap(postgres, ['-D', data, ...settings]);
  const start = () =>
    startChild({
      name: 'Postgres',
      command,
      args,
      logFile,
      stopWith,
      onSpawn,
      options: { ...options, cwd: '/', env: environment() },
    });
  // Asked before, because whoever holds the port may be a Postgres too, and would refuse our password.
  if (!(await isFree(port))) throw taken(port);
  const address = (name: string) => `postgres://${user}:${password}@127.0.0.1:${port}/${name}`;

  const child = await startOnce(start, address('postgres'), port);
  log.debug({ pid: child.pid, port }, 'Postgres is up');
  return { url: address(database), pid: child.pid, child, stop: () => child.stop() };
}

/** Sessions of a killed postmaster hold its shared memory for a moment more; only then a second attempt helps. */
async function startOnce(start: () => Child, url: string, port: number, attempts = 40): Promise<Child> {
  const child = start();
  try {
    // After a crash it replays its log first, however long that is.
    await waitUntil(child, () => ensureDatabase(url), { timeoutMs: 600_000 });
    return child;
  } catch (error) {
    await child.stop();
    const said = child.lastLines();
    if (attempts > 1 && /shared memory block .* is still in use/.test(said)) {
      await new Promise((done) => setTimeout(done, 250));
      return startOnce(start, url, port, attempts - 1);
    }
    if (/Address already in use/i.test(said)) throw taken(port);
    throw error;
  }
}

const taken = (port: number) =>
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

/** Makes the cluster aside and moves it into place, so that a start that is cut short leaves nothing half-made. */
async function initialise({
  initdb,
  root,
  data,
  password,
  as,
  sync,
}: {
  initdb: string;
  root: string;
  data: string;
  password: string;
  as: RunAs;
  sync: boolean;
}) {
  const fresh = join(root, 'data.new');
  const passwordFile = join(root, 'password.init');
  try {
    await rm(fresh, { recursive: true, force: true });
    await mkdir(fresh, { mode: 0o700 });
    await writeFile(passwordFile, password, { mode: 0o600 });
    if (as.owner) for (const path of [fresh, passwordFile]) await chown(path, as.owner.uid, as.owner.gid);
    const { command, args, options } = as.wrap(initdb, [
      `--pgdata=${fresh}`,
      `--username=${user}`,
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      // One collation on every machine: the operating system's differ, and change with its updates.
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--no-instructions',
      ...(sync ? [] : ['--no-sync']),
    ]);
    await promisify(execFile)(command, [...args], { ...options, cwd: '/', env: environment() });
    await rename(fresh, data);
  } catch (error) {
    const { code, stderr, message } = error as NodeJS.ErrnoException & { stderr?: string };
    if (code && /^E(ACCES|ROFS|PERM|NOSPC)$/.test(code)) throw notWritable(root, error as Error);
    throw new StepFailure(`Postgres could not make its data folder ${data}: ${(stderr || message).trim()}`, [
      'set ALFRED_DATA_DIR to a folder on a disk with room, or DATABASE_URL to a Postgres that runs elsewhere',
    ]);
  } finally {
    await rm(passwordFile, { force: true });
  }
}

async function readOrMakePassword(file: string): Promise<string> {
  const made = randomBytes(24).toString('base64url');
  try {
    await writeFile(file, made, { mode: 0o600, flag: 'wx' });
    return made;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw notWritable(file, error as Error);
    await chmod(file, 0o600);
    return readFile(file, 'utf8');
  }
}

/** Another user's data folder is left alone. */
async function assertOurs(data: string) {
  const owner = statSync(data, { throwIfNoEntry: false })?.uid;
  const us = process.getuid?.();
  if (owner === undefined || us === undefined || us === 0 || owner === us) return;
  throw new StepFailure(
    `The data folder ${data} belongs to another user (uid ${owner}); Alfred was last started as root or as that user.`,
    [
      'start as that user again, set ALFRED_DATA_DIR to a folder of your own, or start clean as root: npm start -- --fresh',
    ],
  );
}

/** A folder that root copied or restored belongs to root; Postgres starts on none but its own. */
async function handOver(data: string, { owner }: RunAs) {
  if (!owner || statSync(data, { throwIfNoEntry: false })?.uid !== 0) return;
  await promisify(execFile)('chown', ['-R', `${owner.uid}:${owner.gid}`, data]);
}

/** Ends a postmaster that still runs on this folder, and removes its lock file when the id is another process's by now. */
async function endOrphan(data: string, log: Logger) {
  const lock = join(data, 'postmaster.pid');
  const pid = Number((await readFile(lock, 'utf8').catch(() => '')).split('\n')[0]);
  if (!pid) return;
  if (!isAlive(pid) || !commandLine(pid).includes(`-D ${data}`)) return void (await unlink(lock));
  log.info({ pid }, 'ending the Postgres that an earlier start left behind');
  if (!(await endProcess(pid, stopWith)))
    throw new StepFailure(`A Postgres of an earlier start (pid ${pid}) still runs on ${data} and does not end.`, [
      `end it: kill -QUIT ${pid}`,
    ]);
}

/** Nothing of the caller's environment steers the server; PGPORT or PGDATA of a person's shell would. */
const environment = () => ({ PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' });

const notWritable = (path: string, error: Error) =>
  new StepFailure(`${path} cannot be written: ${error.message}`, [
    'make the folder writable, or set ALFRED_DATA_DIR to one that is',
  ]);
