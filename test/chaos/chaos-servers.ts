import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { freePort } from '../../deploy/local/ports/ports.ts';
import { startPostgres } from '../../deploy/local/servers/postgres.ts';
import { obtainTemporalBinary } from '../../deploy/local/servers/temporal-binary.ts';
import { startTemporalServer } from '../../deploy/local/servers/temporal-server.ts';
import { migrate } from '../../runtime/database/migrate.ts';
import type { Logger } from '../../runtime/logger.ts';

type Surroundings = { dir: string; log: Logger };

/** A Postgres server of its own, on disk and durable, that can be disturbed. Its user for the stack is `alfred_app`. */
export async function startChaosPostgres({ dir, log }: Surroundings) {
  const port = await freePort();
  const start = () => startPostgres({ dir: join(dir, 'postgres'), port, flags: ['max_connections=400'], log });
  let server = await start();
  const { url: ownerUrl } = server;
  await migrate(ownerUrl, log);
  const administer = async (...statements: string[]) => {
    const client = new pg.Client({ connectionString: ownerUrl });
    client.on('error', () => undefined);
    await client.connect();
    try {
      for (const statement of statements) await client.query(statement);
    } finally {
      await client.end();
    }
  };
  const passwordFile = join(dir, 'app-password');
  const newPassword = () => randomBytes(12).toString('hex');
  const password = newPassword();
  await administer(
    `create role alfred_app login password '${password}'`,
    'grant all on all tables in schema public to alfred_app',
    'grant all on all sequences in schema public to alfred_app',
  );
  await writeFile(passwordFile, password);
  const appUrl = new URL(ownerUrl);
  appUrl.username = 'alfred_app';
  appUrl.password = 'never-used';
  return {
    ownerUrl,
    appUrl: appUrl.toString(),
    passwordFile,
    /** Nothing answers and no connection breaks. */
    async pause(ms: number) {
      const tree = () => [server.pid, ...childrenOf(server.pid)];
      signalAll(tree(), 'SIGSTOP');
      await sleep(ms);
      signalAll(tree(), 'SIGCONT');
    },
    /** As an administrator restarts it: connections break, work under way is rolled back. */
    async restart() {
      await server.stop();
      server = await start();
    },
    /** As after a failover to a replica: reads work, writes are refused. */
    async readOnly(ms: number) {
      await administer('alter system set default_transaction_read_only = on', 'select pg_reload_conf()');
      await sleep(ms);
      await administer(
        'set default_transaction_read_only = off',
        'alter system reset default_transaction_read_only',
        'select pg_reload_conf()',
      );
    },
    /** The password changes, all connections break, and the file follows after `ms`. */
    async rotatePassword(ms: number) {
      const next = newPassword();
      await administer(
        `alter role alfred_app password '${next}'`,
        `select pg_terminate_backend(pid) from pg_stat_activity where usename = 'alfred_app'`,
      );
      await sleep(ms);
      await writeFile(passwordFile, next);
    },
    stop: () => server.stop(),
  };
}

/** A Temporal server of its own, on disk and durable, that can be disturbed. */
export async function startChaosTemporal({ dir, log }: Surroundings) {
  const port = await freePort();
  const dbFile = join(dir, 'temporal.db');
  const binary = await obtainTemporalBinary({ log });
  const start = () => startTemporalServer({ binary, port, dbFile, logFile: join(dir, 'temporal.log'), log });
  let server = await start();
  return {
    address: server.address,
    /** Nothing answers and no connection breaks. */
    async pause(ms: number) {
      signalAll([server.pid], 'SIGSTOP');
      await sleep(ms);
      signalAll([server.pid], 'SIGCONT');
    },
    async restart() {
      await server.stop();
      server = await start();
    },
    async kill() {
      signalAll([server.pid], 'SIGKILL');
      await server.child.ended;
      server = await start();
    },
    /** Deletes its database: it knows no workflow and no schedule any more. */
    async lose() {
      await server.stop();
      for (const end of ['', '-wal', '-shm']) await rm(`${dbFile}${end}`, { force: true });
      server = await start();
    },
    stop: () => server.stop(),
  };
}

function signalAll(pids: number[], signal: NodeJS.Signals) {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      // A session of Postgres may have ended since the list was made.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

const childrenOf = (parent: number): number[] =>
  execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .flatMap(([pid = 0, ppid]) => (ppid === parent ? [pid] : []));
