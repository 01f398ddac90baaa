import type { Client } from '@temporalio/client';
import type { NativeConnection } from '@temporalio/worker';
import { sql } from 'kysely';
import { ignoredVariables, type Config } from './config.ts';
import { createLogger, type Logger } from './logger.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { checkServer } from './database/check-server.ts';
import { openPostgres, type Postgres } from './database/postgres.ts';
import { createReadiness, type ReadinessProbe } from './readiness.ts';
import { warnOfOpenSecrets } from './open-secrets.ts';
import { connectTemporal, createClient } from './temporal.ts';
import { connectTemporalLater } from './temporal-later.ts';
import { installTemporalRuntime } from './temporal-metrics.ts';
import { checkNamespaceBeforeUse } from './temporal-namespace.ts';

/** What every process needs: configuration, log, connections, metrics and readiness. */
export type Edge = {
  config: Config;
  log: Logger;
  postgres: Postgres;
  connection: NativeConnection;
  client: Client;
  metrics: Metrics;
  /** This process's metrics and those of its Temporal SDK, in the Prometheus text format. */
  readMetrics(): Promise<string>;
  readiness: ReadinessProbe;
  close(): Promise<void>;
};

/**
 * Opens a process's connections. It waits for Temporal only; Postgres is connected on the first query.
 *
 * @throws when Temporal does not answer at TEMPORAL_ADDRESS
 */
export const openEdge = (config: Config, role: string, log: Logger = createLogger(config, role)): Promise<Edge> =>
  openWith(config, log, async () => {
    const connection = await connectTemporal(config);
    return { connection, close: () => connection.close() };
  });

/**
 * The same for a process that serves while Temporal is away, and runs no workers: it uses Temporal once that answers
 * and has the namespace of this database.
 *
 * @throws AlfredError `wrong_namespace` when Temporal answers at once and has another one
 */
export function openEdgeWithoutTemporal(config: Config, role: string): Promise<Edge> {
  const log = createLogger(config, role);
  return openWith(config, log, ({ db }) =>
    connectTemporalLater({
      config,
      log,
      check: (connection) => checkNamespaceBeforeUse({ db, client: createClient(connection, config), config }, log),
    }),
  );
}

type OpenTemporal = (postgres: Postgres) => Promise<{ connection: NativeConnection; close(): Promise<void> }>;

async function openWith(config: Config, log: Logger, openTemporal: OpenTemporal): Promise<Edge> {
  const ignored = ignoredVariables();
  if (ignored.length > 0) log.warn({ variables: ignored }, 'variables that this version of Alfred does not read');
  warnOfOpenSecrets(config, log);
  const metrics = createMetrics();
  const readTemporalMetrics = await installTemporalRuntime(log);
  const postgres = openPostgres(config, log);
  const temporal = await openTemporal(postgres);
  const { connection } = temporal;
  void checkServer(postgres, config, log);
  const readiness = createReadiness({
    postgres: async () => void (await sql`select 1`.execute(postgres.db)),
    temporal: async () =>
      void (await connection.withDeadline(Date.now() + 1_500, () => connection.workflowService.getSystemInfo({}))),
  });
  return {
    config,
    log,
    postgres,
    connection,
    client: createClient(connection, config),
    metrics,
    readMetrics: async () => {
      await Promise.all(metrics.beforeScrape.map((refresh) => refresh()));
      return (await metrics.registry.metrics()) + (await readTemporalMetrics().catch(() => ''));
    },
    readiness,
    close: async () => {
      await postgres.close();
      await temporal.close();
    },
  };
}
