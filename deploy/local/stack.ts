import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { loadConfig, modelOf, type Config } from '../../runtime/config.ts';
import { openEdge } from '../../runtime/edge.ts';
import type { Logger } from '../../runtime/logger.ts';
import { claimRunFile, readLastRun, readRunFile, type RunFile } from '../../runtime/run-file.ts';
import { registerSearchAttributes } from '../../runtime/temporal.ts';
import type { Child } from './child.ts';
import type { Cleanup } from './cleanup.ts';
import { endOrphans } from './orphans.ts';
import { postgresFor, temporalFor } from './servers.ts';
import type { Settings } from './settings.ts';
import { chooseStackPorts, type StackPorts } from './stack-ports.ts';
import { StepFailure } from './step-failure.ts';
import type { Steps } from './steps.ts';
import { failure } from './wait-until.ts';

export type Stack = {
  config: Config;
  apiUrl: string;
  /** In words: ports that are not the usual ones, servers that an earlier start left. */
  notes: string[];
  coldStartSeconds: number;
  /** Rejects when a part ends that should not. */
  failed: Promise<never>;
};

type Deps = { settings: Settings; steps: Steps; log: Logger; cleanup: Cleanup };

/**
 * Brings up everything on this machine: Temporal, Postgres, workers, API. What is to be undone at the end, or when a
 * step fails, is left in `cleanup`.
 *
 * @throws StepFailure and ConfigError for people; anything else is a defect
 */
export async function startStack({ settings, steps, log, cleanup }: Deps): Promise<Stack> {
  const { dataDir } = settings;
  refuseSecond(await readRunFile(dataDir));
  const ended = await endOrphans(readLastRun(dataDir), dataDir, log);
  const { ports, moved, claims, remember } = await chooseStackPorts(settings);
  cleanup.add('port claims', () => claims.release());
  const { run, onSpawn } = await claim(dataDir, ports, cleanup, log);
  remember();

  const broken = Promise.withResolvers<never>();
  broken.promise.catch(() => undefined);
  let ending = false;
  cleanup.add('watch', () => (ending = true));
  const watch = (child: Child) =>
    void child.ended.then((how) => {
      if (!ending) broken.reject(failure(child, `ended unexpectedly (${how})`));
    });

  await mkdir(join(dataDir, 'temporal'), { recursive: true });
  const servers = { settings, ports, steps, log, cleanup, onSpawn, watch };
  const [temporal, postgres, roles] = await Promise.all([
    temporalFor(servers),
    postgresFor(servers),
    loadRoles(settings, steps, log),
  ]);
  const addresses = {
    ...temporal,
    ...postgres,
    ALFRED_DATA_DIR: dataDir,
    ALFRED_API_PORT: String(ports.ALFRED_API_PORT),
  };
  run.update({ environment: addresses });
  const config = loadConfig({ ...settings.environment, ...addresses });

  const edge = await openEdge(config, 'local', log).catch((error: Error) => Promise.reject(unreachable(config, error)));
  cleanup.add('connections', () => edge.close());
  await steps.run('Search attributes', () => registerSearchAttributes(edge.connection, config.TEMPORAL_NAMESPACE));
  const adapters = roles.createAdapters(edge);
  cleanup.add('adapters', () => adapters.close());
  const [workers, api] = await Promise.all([
    steps.run(
      'Workers',
      async () => {
        const workers = await roles.startWorkers(edge, adapters);
        cleanup.add('workers', () => workers.stop());
        return workers;
      },
      ({ queues }) => `${queues.length} task queues`,
    ),
    steps.run(
      'API',
      () => roles.startApi(edge, adapters),
      ({ url }) => url,
    ),
  ]);
  // The door closes before the workers do, whichever came up first.
  cleanup.add('API', () => api.stop());
  cleanup.add('watch', () => (ending = true));
  edge.readiness.serving();
  const coldStartSeconds = (Date.now() - settings.begunMs) / 1_000;
  edge.metrics.coldStart.set(coldStartSeconds);
  log.info({ coldStartSeconds, model: modelOf(config), url: api.url }, 'ready');

  const notes = [...moved, ...ended.map((name) => `a ${name} that an earlier start left behind was ended`)];
  return { config, apiUrl: api.url, notes, coldStartSeconds, failed: Promise.race([broken.promise, workers.failed]) };
}

/** Takes the data folder, and keeps a record of every server we start from the moment it exists. */
async function claim(dataDir: string, ports: StackPorts, cleanup: Cleanup, log: Logger) {
  const apiUrl = `http://127.0.0.1:${ports.ALFRED_API_PORT}`;
  const children: RunFile['children'] = [];
  const run = await claimRunFile(dataDir, {
    pid: process.pid,
    startedAt: new Date().toISOString(),
    apiUrl,
    environment: {},
    children,
  });
  if ('runs' in run) return refuseSecond(run.runs);
  cleanup.add('run file', () => run.remove());
  // Also those that a failed or interrupted step has started and nobody holds yet.
  cleanup.add('servers', () => endOrphans({ children }, dataDir, log));
  const onSpawn = (name: string, pid: number) => {
    children.push({ name, pid });
    run.update({ children });
  };
  return { run, onSpawn };
}

function refuseSecond(run: RunFile | undefined): never;
function refuseSecond(run: RunFile | undefined): void {
  if (!run) return;
  throw new StepFailure(
    `Alfred runs in this clone already, at ${run.apiUrl} (process ${run.pid}, since ${run.startedAt}).`,
    [`use it there, end it with Ctrl-C in its terminal (or kill ${run.pid}), or set ALFRED_DATA_DIR for a second one`],
  );
}

/** Loads the code of the roles and builds the workflow bundle, while the servers come up. */
async function loadRoles({ config }: Settings, steps: Steps, log: Logger) {
  return steps.run('Workflow code', async () => {
    const [{ createAdapters, startWorkers }, { startApi }, { workflowBundle }] = await Promise.all([
      import('../../workers/compose.ts'),
      import('../../api/compose.ts'),
      import('../../workers/bundle.ts'),
    ]);
    await workflowBundle(config, log);
    return { createAdapters, startWorkers, startApi };
  });
}

const unreachable = (config: Config, error: Error) =>
  new StepFailure(`Temporal does not answer at ${config.TEMPORAL_ADDRESS}: ${error.message}.`, [
    'check TEMPORAL_ADDRESS, or unset it to have a Temporal started here',
  ]);
