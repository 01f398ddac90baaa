import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { freePort } from '../../../deploy/local/ports/ports.ts';
import { startPostgres } from '../../../deploy/local/servers/postgres.ts';
import { obtainTemporalBinary } from '../../../deploy/local/servers/temporal-binary.ts';
import { startTemporalServer } from '../../../deploy/local/servers/temporal-server.ts';
import { loadConfig } from '../../../runtime/config.ts';
import { createLogger, type Logger } from '../../../runtime/logger.ts';
import { migrate } from '../../../runtime/database/migrate.ts';
import { workflowBundle } from '../../../workers/bundle.ts';
import { namespaceOf, template, type TestServers } from './test-servers.ts';

/** How many test environments one run can create. A hundred namespaces cost the server about 3 s at its start. */
const environments = 300;

/**
 * No durability, for speed: the data live only as long as the test run.
 *
 * Generic plans from the first execution: Postgres switches a prepared statement to one after some executions, so a
 * statement that fails with a generic plan must fail in the tests.
 */
const postgresFlags = [
  'fsync=off',
  'synchronous_commit=off',
  'full_page_writes=off',
  'max_connections=300',
  'plan_cache_mode=force_generic_plan',
];

/** Starts the servers that all test files of a run share: Temporal in memory, Postgres in a temporary folder. */
export async function startServers(): Promise<{ servers: TestServers; stop: () => Promise<void> }> {
  const dir = await mkdtemp(join(tmpdir(), 'alfred-test-'));
  const log = createLogger(
    loadConfig({ DATABASE_URL: 'postgres://unused', ALFRED_LOG_LEVEL: 'warn', ALFRED_LOG_FORMAT: 'pretty' }),
    'test',
  );
  const stops: (() => Promise<unknown>)[] = [() => rm(dir, { recursive: true, force: true })];
  const stop = async () => {
    for (const end of stops.reverse()) await end();
  };
  const startMigratedPostgres = async () => {
    const postgres = await startPostgres({
      dir: join(dir, 'postgres'),
      port: await freePort(),
      flags: postgresFlags,
      sync: false,
      log,
    });
    stops.push(() => postgres.stop());
    await createTemplate(postgres.url);
    await migrate(databaseUrl(postgres.url, template), log);
    return postgres;
  };
  const startTemporal = async () => {
    const namespaces = Array.from({ length: environments }, (_, index) => namespaceOf(index + 1));
    const temporal = await startTemporalServer({
      binary: await obtainTemporalBinary({ log }),
      port: await freePort(),
      namespaces,
      logFile: join(dir, 'temporal.log'),
      log,
    });
    stops.push(() => temporal.stop());
    return temporal;
  };
  const parts = [
    startMigratedPostgres(),
    startTemporal(),
    bundleWorkflows(dir, log),
    mkdir(join(dir, 'claims')),
  ] as const;
  // Wait for all of them, also after a failure: only then is it known which ones started and must be stopped.
  const failure = (await Promise.allSettled(parts)).find((part) => part.status === 'rejected');
  if (failure) {
    await stop();
    throw failure.reason;
  }
  const [postgres, temporal, workflowBundle] = await Promise.all(parts);
  return {
    servers: {
      dir,
      environments,
      databaseUrl: postgres.url,
      temporalAddress: temporal.address,
      workflowBundle,
    },
    stop,
  };
}

/**
 * Bundles the workflow code.
 *
 * @returns the file, or undefined when bundling fails: then the tests that run workflows fail with the reason, and only
 *   those
 */
async function bundleWorkflows(dir: string, log: Logger): Promise<string | undefined> {
  const cache = fileURLToPath(new URL('../../../node_modules/.cache/alfred', import.meta.url));
  try {
    const { code } = await workflowBundle({ ALFRED_DATA_DIR: cache, ALFRED_WORKFLOW_BUNDLE: undefined }, log);
    await writeFile(join(dir, 'workflows.js'), code);
    return join(dir, 'workflows.js');
  } catch (error) {
    log.warn({ error: (error as Error).message }, 'the workflow code does not bundle');
    return undefined;
  }
}

async function createTemplate(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(`create database ${template}`);
  await client.end();
}

function databaseUrl(url: string, name: string): string {
  const address = new URL(url);
  address.pathname = name;
  return address.toString();
}
