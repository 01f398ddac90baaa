import type { AddressInfo } from 'node:net';
import { graceMsOf } from '../runtime/grace.ts';
import { createAdapters } from '../wiring/adapters.ts';
import { loadAgents } from '../agents/packs/load-agents.ts';
import type { Config } from '../runtime/config.ts';
import { openEdge, type Edge } from '../runtime/edge.ts';
import { onShutdown } from '../runtime/shutdown.ts';
import { checkNamespaceAtStart } from '../runtime/temporal-namespace.ts';
import { createApi } from './app.ts';
import type { ApiDeps } from './deps.ts';

type ApiEdge = Pick<Edge, 'config' | 'log' | 'metrics' | 'readMetrics' | 'readiness'>;
type ApiAdapters = Pick<
  ApiDeps,
  | 'apiKeys'
  | 'approvals'
  | 'artifacts'
  | 'audit'
  | 'tenantOfStrangers'
  | 'browserSignIn'
  | 'schedules'
  | 'slackLinking'
  | 'shares'
  | 'sources'
  | 'tasks'
  | 'memories'
  | 'tenants'
  | 'tenantAgents'
  | 'catalog'
  | 'providers'
  | 'events'
  | 'callbacks'
  | 'citations'
  | 'collections'
  | 'contacts'
  | 'contactIngests'
  | 'control'
  | 'conversationRows'
  | 'conversationEvents'
  | 'messages'
  | 'documents'
  | 'erasure'
  | 'ingestionEvents'
  | 'identify'
  | 'index'
  | 'ledger'
  | 'limits'
>;

/**
 * Opens the HTTP API at ALFRED_API_HOST:ALFRED_API_PORT.
 *
 * `stop` ends event streams and waits at once, so that their readers reconnect to another process, and gives other
 * requests ALFRED_SHUTDOWN_GRACE_S to finish.
 *
 * @throws when the address is taken or does not belong to this machine, ConfigError when the configuration names an
 *   agent that does not exist, has no key for the audit log, or names a file without a secret
 */
export async function startApi(
  edge: ApiEdge,
  adapters: ApiAdapters & {
    signInWarning: () => Promise<string | undefined>;
    checkAudit: () => Promise<void>;
    checkSecrets: () => void;
    auditKeeper: { start(): () => Promise<void> };
  },
): Promise<{ url: string; stop(): Promise<void> }> {
  const { log, readiness } = edge;
  const { agents, config } = await loadAgents(edge);
  if (config.OIDC_ISSUER) readiness.addWarning('identity', adapters.signInWarning);
  adapters.checkSecrets();
  await adapters.checkAudit();
  const app = await createApi({ ...edge, ...adapters, config, agents });
  try {
    await app.listen({ host: config.ALFRED_API_HOST, port: config.ALFRED_API_PORT });
  } catch (error) {
    await app.close();
    const { code, message } = error as NodeJS.ErrnoException;
    const problem = `The API cannot listen at ${config.ALFRED_API_HOST}:${config.ALFRED_API_PORT} (${message}): free the port, or set ALFRED_API_PORT.`;
    throw Object.assign(new Error(problem, { cause: error }), { code, syscall: 'listen' });
  }
  const { port } = app.server.address() as AddressInfo;
  const host = config.ALFRED_API_HOST.includes(':') ? `[${config.ALFRED_API_HOST}]` : config.ALFRED_API_HOST;
  const url = `http://${host}:${port}`;
  log.info({ url }, 'the API listens');

  const stopKeeper = config.ALFRED_AUDIT === 'on' ? adapters.auditKeeper.start() : undefined;

  let stopping: Promise<void> | undefined;
  const stop = async () => {
    readiness.markDraining();
    const cutOff = setTimeout(() => app.server.closeAllConnections(), graceMsOf(config));
    await app.close();
    await stopKeeper?.();
    clearTimeout(cutOff);
    log.info({ url }, 'the API has stopped');
  };
  return { url, stop: () => (stopping ??= stop()) };
}

/** Runs the API in a process of its own until a signal ends it. */
export async function runApi(config: Config): Promise<void> {
  const edge = await openEdge(config, 'api');
  await checkNamespaceAtStart({ db: edge.postgres.db, client: edge.client, config }, edge.log);
  const adapters = createAdapters(edge);
  if (adapters.checkIndexFolder) edge.readiness.require('data_folder', adapters.checkIndexFolder);
  void adapters.startListening();
  const api = await startApi(edge, adapters);
  edge.readiness.markServing();
  edge.metrics.coldStart.set(process.uptime());
  edge.log.info({ url: api.url }, 'ready');
  onShutdown(edge.log, async () => {
    await api.stop();
    await adapters.close();
    await edge.close();
  });
}
