import { join } from 'node:path';
import { directDatabaseUrl } from '../../../runtime/database/database-url.ts';
import type { Logger } from '../../../runtime/logger.ts';
import { migrate } from '../../../runtime/database/migrate.ts';
import type { Child, ChildSpec } from './child.ts';
import type { Cleanup } from '../cleanup.ts';
import { startPostgres } from './postgres.ts';
import type { Settings } from '../settings.ts';
import type { StackPorts } from '../ports/stack-ports.ts';
import { StepFailure } from '../step-failure.ts';
import type { Steps } from '../steps.ts';
import { obtainTemporalBinary } from './temporal-binary.ts';
import { startTemporalServer } from './temporal-server.ts';

export type ServerDeps = {
  settings: Settings;
  ports: StackPorts;
  steps: Steps;
  log: Logger;
  cleanup: Cleanup;
  onSpawn: ChildSpec['onSpawn'];
  /** Called with each started server, to react when it ends unexpectedly. */
  watch: (child: Child) => void;
};

type Variables = Record<string, string>;

/**
 * Starts a Temporal server with a database file in the data folder, unless TEMPORAL_ADDRESS names another one.
 *
 * @returns the variables with its addresses
 */
export async function ensureTemporal({
  settings,
  ports,
  steps,
  log,
  cleanup,
  onSpawn,
  watch,
}: ServerDeps): Promise<Variables> {
  const { dataDir, environment, config } = settings;
  const { ALFRED_TEMPORAL_PORT: port, ALFRED_TEMPORAL_UI_PORT: uiPort } = ports;
  if (!port || !uiPort) return { TEMPORAL_ADDRESS: config.TEMPORAL_ADDRESS, TEMPORAL_UI_URL: config.TEMPORAL_UI_URL };
  const binary = await steps.run(
    'Temporal CLI',
    (progress) => obtainTemporalBinary({ log, progress, environment, fallbackDir: join(dataDir, 'cache') }),
    (path) => path,
  );
  const server = await steps.run(
    'Temporal',
    () => {
      const namespaces = config.TEMPORAL_NAMESPACE === 'default' ? [] : [config.TEMPORAL_NAMESPACE];
      const dbFile = join(dataDir, 'temporal', 'temporal.db');
      const logFile = join(dataDir, 'logs', 'temporal.log');
      return startTemporalServer({ binary, port, uiPort, dbFile, namespaces, logFile, onSpawn, log });
    },
    ({ address }) => address,
  );
  cleanup.add('Temporal', () => server.stop());
  watch(server.child);
  return { TEMPORAL_ADDRESS: server.address, TEMPORAL_UI_URL: server.uiUrl ?? config.TEMPORAL_UI_URL };
}

/**
 * Starts a Postgres server in the data folder, unless DATABASE_URL names another one, and migrates its schema.
 *
 * @returns the variable with its address
 */
export async function ensurePostgres({
  settings,
  ports,
  steps,
  log,
  cleanup,
  onSpawn,
  watch,
}: ServerDeps): Promise<Variables> {
  const { dataDir, config } = settings;
  const port = ports.ALFRED_POSTGRES_PORT;
  let url = directDatabaseUrl(config);
  if (port) {
    const logFile = join(dataDir, 'logs', 'postgres.log');
    const server = await steps.run(
      'Postgres',
      () =>
        startPostgres({
          dir: join(dataDir, 'postgres'),
          port,
          // The whole stack may be killed at once: streamed text is on disk before it is shown.
          flags: ['alfred.text_commit=on'],
          logFile,
          onSpawn,
          log,
        }),
      () => `127.0.0.1:${port}`,
    );
    cleanup.add('Postgres', () => server.stop());
    watch(server.child);
    url = server.url;
  }
  await steps.run(
    'Migrations',
    () => migrate(url, log).catch((error: Error) => Promise.reject(migrationFailure(error, url, Boolean(port)))),
    (done) => (done.length === 0 ? 'the schema is up to date' : `${done.length} applied`),
  );
  return port ? { DATABASE_URL: url } : { DATABASE_URL: config.DATABASE_URL };
}

function migrationFailure(error: Error, url: string, isOurs: boolean): Error {
  const { host, pathname } = new URL(url);
  const reason = error.message || (error as NodeJS.ErrnoException).code || 'no answer';
  return new StepFailure(`The migrations cannot run on the database ${pathname.slice(1)} at ${host}: ${reason}.`, [
    isOurs
      ? 'see logs/postgres.log in the data folder'
      : 'check DATABASE_URL: the server must run and the user may create tables; or unset it to have a Postgres started here',
  ]);
}
