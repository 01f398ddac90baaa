import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { AlfredError } from '../../contract/errors.ts';
import { isSecret, loadConfig, defaultModelOf, variableNames, type Config } from '../../runtime/config.ts';
import { openEdge, type Edge } from '../../runtime/edge.ts';
import type { Logger } from '../../runtime/logger.ts';
import { adoptNamespace, checkNamespace } from '../../runtime/temporal-namespace.ts';
import { hasSlack } from '../../runtime/slack-settings.ts';
import { registerSearchAttributes } from '../../runtime/temporal.ts';
import type { startSlack as StartSlack } from '../../slack/compose.ts';
import { fetchModels } from './downloads/fetch-models.ts';
import { ensureKeycloak, findJava } from './servers/keycloak.ts';
import { ensurePostgres, ensureTemporal, type ServerDeps } from './servers/servers.ts';
import type { Settings } from './settings.ts';
import { StepFailure } from './step-failure.ts';
import type { Steps } from './steps.ts';

type Deps = ServerDeps & {
  /** Receives the variables that another process needs to join the stack, when the servers answer. */
  onAddresses: (environment: Record<string, string>) => void;
};

/** Starts the servers, then workers and API. Parts that do not depend on each other start at the same time. */
export async function bringUp({ onAddresses, ...servers }: Deps) {
  const { settings, ports, steps, log, cleanup } = servers;
  const { dataDir } = settings;
  // First: without it nothing else need be started.
  const java = settings.keycloak ? await findJava(settings.environment) : undefined;
  await mkdir(join(dataDir, 'temporal'), { recursive: true });
  const [temporal, postgres, keycloak, roles] = await Promise.all([
    ensureTemporal(servers),
    ensurePostgres(servers),
    java === undefined ? undefined : ensureKeycloak(servers, java),
    loadRoles(settings, steps, log),
  ]);
  const addresses = {
    ...explicitVariables(settings.environment),
    ...temporal,
    ...postgres,
    ...keycloak?.variables,
    ALFRED_DATA_DIR: dataDir,
    ...(await fetchModels(settings, log)),
    ALFRED_API_PORT: String(ports.ALFRED_API_PORT),
    ...(ports.SLACK_PORT === undefined ? {} : { SLACK_PORT: String(ports.SLACK_PORT) }),
  };
  onAddresses(addresses);
  const config = loadConfig({ ...settings.environment, ...addresses });

  const edge = await openEdge(config, 'local', log).catch((error: Error) =>
    Promise.reject(temporalUnreachable(config, error)),
  );
  cleanup.add('connections', () => edge.close());
  await steps.run('Search attributes', () => registerSearchAttributes(edge.connection, config.TEMPORAL_NAMESPACE));
  await ensureNamespace(edge, Boolean(ports.ALFRED_TEMPORAL_PORT && ports.ALFRED_POSTGRES_PORT));
  const adapters = roles.createAdapters(edge);
  cleanup.add('adapters', () => adapters.close());
  const startWorkers = async () => {
    const workers = await roles.startWorkers(edge, adapters);
    cleanup.add('workers', () => workers.stop());
    return workers;
  };
  const [workers, api] = await Promise.all([
    steps.run('Workers', startWorkers, ({ queues }) => `${queues.length} task queues`),
    steps.run(
      'API',
      () => roles.startApi(edge, adapters),
      ({ url }) => url,
    ),
  ]);
  // Registered after the workers, so that the API stops first.
  cleanup.add('API', () => api.stop());
  if (hasSlack(config)) {
    const slack = await steps.run(
      'Slack',
      () => startSlack(edge, adapters),
      ({ url }) => url,
    );
    cleanup.add('Slack', () => slack.stop());
  }
  edge.readiness.markServing();
  const coldStartSeconds = (Date.now() - settings.begunMs) / 1_000;
  edge.metrics.coldStart.set(coldStartSeconds);
  log.info({ coldStartSeconds, model: defaultModelOf(config), url: api.url }, 'ready');
  return { config, apiUrl: api.url, coldStartSeconds, failed: workers.failed, people: keycloak?.people ?? [] };
}

/** Loads the door only where it is used. */
const startSlack = async (...deps: Parameters<typeof StartSlack>) =>
  (await import('../../slack/compose.ts')).startSlack(...deps);

/** The variables that the person set, so that `alfred config` shows them. Secrets are left out. */
const explicitVariables = (environment: Record<string, string | undefined>): Record<string, string> =>
  Object.fromEntries(
    variableNames.flatMap((name) => (environment[name] && !isSecret(name) ? [[name, environment[name]]] : [])),
  );

/** Loads the code of workers and API and builds the workflow bundle, while the servers start. */
const loadRoles = ({ config }: Settings, steps: Steps, log: Logger) =>
  steps.run('Workflow code', async () => {
    const [{ createAdapters, startWorkers }, { startApi }, { workflowBundle }] = await Promise.all([
      import('../../workers/compose.ts'),
      import('../../api/compose.ts'),
      import('../../workers/bundle.ts'),
    ]);
    await workflowBundle(config, log);
    return { createAdapters, startWorkers, startApi };
  });

/**
 * Checks that Temporal and the database belong together. When both are this stack's own, another namespace means that
 * Temporal's file was deleted: its tasks start again from their rows. Otherwise a person has to say so.
 */
async function ensureNamespace({ postgres: { db }, client, config, log }: Edge, areOurs: boolean): Promise<void> {
  const deps = { db, client, config };
  try {
    await checkNamespace(deps);
  } catch (error) {
    if (!(error instanceof AlfredError) || error.code !== 'wrong_namespace') throw error;
    if (!areOurs) throw new StepFailure(error.message);
    await adoptNamespace(deps);
    log.warn('the data of Temporal are new: tasks that had not ended start again from their rows');
  }
}

const temporalUnreachable = (config: Config, error: Error) =>
  new StepFailure(`Temporal does not answer at ${config.TEMPORAL_ADDRESS}: ${error.message}.`, [
    'check TEMPORAL_ADDRESS, or unset it to have a Temporal started here',
  ]);
