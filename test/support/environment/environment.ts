import { mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import pg from 'pg';
import { loadConfig, type Config } from '../../../runtime/config.ts';
import { createLogger } from '../../../runtime/logger.ts';
import { openPostgres } from '../../../runtime/database/postgres.ts';
import { connectTemporal, createClient } from '../../../runtime/temporal.ts';
import { namespaceOf, template, readTestServers } from './test-servers.ts';

// Tests provoke failures on purpose. Their log lines would hide the output of the tests.
const level = process.env.ALFRED_TEST_LOG_LEVEL ? 'WARN' : 'ERROR';
Runtime.install({
  logger: new DefaultLogger(level),
  telemetryOptions: { logging: { filter: { core: level, other: level }, forward: {} } },
});

export type TestEnvironment = Awaited<ReturnType<typeof createTestEnvironment>>;

/**
 * Gives one test file its own part of the shared servers: an empty, migrated database, a Temporal namespace and a data
 * folder. The configuration never depends on the shell that runs the tests.
 *
 * @param overrides configuration variables, as strings
 */
export async function createTestEnvironment(overrides: { [Name in keyof Config]?: string } = {}) {
  const servers = readTestServers();
  const number = await claimNumber(join(servers.dir, 'claims'), servers.environments);
  const database = `test_${number}`;
  await administer(servers.databaseUrl, `create database ${database} template ${template}`);
  const address = new URL(servers.databaseUrl);
  address.pathname = database;
  const dataDir = await mkdtemp(join(servers.dir, 'data-'));
  const config = loadConfig({
    DATABASE_URL: address.toString(),
    TEMPORAL_ADDRESS: servers.temporalAddress,
    TEMPORAL_NAMESPACE: namespaceOf(number),
    ALFRED_DATA_DIR: dataDir,
    ALFRED_API_PORT: '0',
    ALFRED_HEALTH_PORT: '0',
    // A sweep changes what a test has put wrong on purpose: those that are about it set their own interval.
    ALFRED_SWEEP_INTERVAL_S: '86400',
    // Harnesses serve this one.
    SLACK_AGENT: 'knowledge',
    ALFRED_LOG_LEVEL: process.env.ALFRED_TEST_LOG_LEVEL || 'silent',
    ...(servers.workflowBundle ? { ALFRED_WORKFLOW_BUNDLE: servers.workflowBundle } : {}),
    ...overrides,
  });
  const log = createLogger(config, 'test');
  const postgres = openPostgres(config, log);
  // Not `TestWorkflowEnvironment`: its client is on a second connection, which takes 0.1 s and has no eager start.
  const connection = await connectTemporal(config);
  return {
    config,
    log,
    postgres,
    connection,
    client: createClient(connection, config),
    /** Closes the connections, drops the database, removes the data folder. */
    async close() {
      await postgres.close();
      await connection.close();
      await administer(servers.databaseUrl, `drop database ${database} with (force)`);
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** Takes the lowest free number. Safe across Jest's worker processes, because creating a file exclusively is atomic. */
async function claimNumber(claims: string, limit: number): Promise<number> {
  await mkdir(claims, { recursive: true });
  for (let number = 1; number <= limit; number++) {
    try {
      await (await open(join(claims, String(number)), 'wx')).close();
      return number;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
  throw new Error(
    `All ${limit} test environments of this run are taken: raise the number in test/support/environment/servers.ts.`,
  );
}

async function administer(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
