import { agents as registeredAgents, findAgent, type Agents } from '../agents/index.ts';
import { checkAgentNames } from '../runtime/agent-settings.ts';
import { ConfigError, type Config } from '../runtime/config.ts';
import { openEdge, type Edge } from '../runtime/edge.ts';
import { graceMsOf } from '../runtime/grace.ts';
import { onShutdown } from '../runtime/shutdown.ts';
import { slackSettingsOf, type SlackSettings } from '../runtime/slack-settings.ts';
import { checkNamespaceAtStart } from '../runtime/temporal-namespace.ts';
import { withTimeout } from '../runtime/with-timeout.ts';
import { createAdapters, type Adapters } from '../wiring/adapters.ts';
import { createActing } from './acting/acting.ts';
import { createAsk } from './asking/ask.ts';
import { createNoticeChange } from './asking/notice-change.ts';
import { createPeople } from './asking/people.ts';
import { createSlackPrincipals } from './asking/slack-principals.ts';
import { createBoltApp } from './bolt-app.ts';
import { wireCommands } from './commands/wire-commands.ts';
import { attemptsBeforeNotice, createFailureReports, mayPass } from './failures.ts';
import { identify, type Identity } from './identify.ts';
import { wireNotifying } from './notifying/wire-notifying.ts';
import { wirePosting } from './posting/wire-posting.ts';
import { inWorkspace } from './processing/in-workspace.ts';
import { createProcessor } from './processing/processor.ts';
import { startHttpReceiver } from './receiving/http-receiver.ts';
import { createReceive } from './receiving/receive.ts';
import { createSocketReceiver } from './receiving/socket-receiver.ts';
import { startRetention } from './retention.ts';

type SlackEdge = Pick<Edge, 'config' | 'log' | 'metrics' | 'readMetrics' | 'readiness'>;
type SlackAdapters = Pick<
  Adapters,
  | 'approvals'
  | 'audit'
  | 'checkAudit'
  | 'control'
  | 'conversationRows'
  | 'documents'
  | 'events'
  | 'index'
  | 'ledger'
  | 'messages'
  | 'rights'
  | 'slackInbox'
  | 'slackLinking'
  | 'slackNotifications'
  | 'slackPosts'
  | 'slackRunResults'
  | 'slackThreads'
  | 'slackUserLinks'
  | 'tasks'
  | 'tenants'
>;

export type RunningSlack = { url: string; stop(): Promise<void> };

/**
 * Opens the Slack door: receives by sockets and HTTP, processes what is stored, and shows answers. While Slack does not
 * answer, or refuses the token, what it sends is kept.
 *
 * `stop` takes nothing more, gives what is under way ALFRED_SHUTDOWN_GRACE_S to finish, and leaves the rest to other
 * processes.
 *
 * @throws ConfigError when Slack is off or the agent does not exist; when the port is taken
 */
export async function startSlack(
  edge: SlackEdge,
  adapters: SlackAdapters,
  { agents = registeredAgents }: { agents?: Agents } = {},
): Promise<RunningSlack> {
  const { config, log, readiness } = edge;
  const settings = readSettings(config);
  checkAgentNames(config, Object.keys(agents));
  if (!findAgent(agents, config.SLACK_AGENT))
    throw new ConfigError(
      `SLACK_AGENT names an agent that does not exist: "${config.SLACK_AGENT}". The agents are: ${Object.keys(agents).join(', ')}.`,
    );
  await adapters.checkAudit();

  let problem: string | undefined = 'Slack has not said yet who Alfred is there';
  const stopping = new AbortController();
  const { calls, poster, notices, owner, token } = wirePosting(edge, adapters, settings);
  readiness.addWarning('slack', async () => problem ?? token.problem());
  const notifying = wireNotifying({ edge, adapters, calls, owner, settings, onPosts: () => poster.wake() });
  const identity = identify({ calls, log, signal: stopping.signal, onProblem: (found) => (problem = found) });
  const processor = createProcessing({
    edge,
    adapters,
    agents,
    settings,
    calls,
    notices,
    owner,
    identity,
    onAsked: () => poster.wake(),
  });
  const receive = createReceive({ inbox: adapters.slackInbox, log, metrics: edge.metrics, onStored: processor.wake });
  const http = await startHttpReceiver({
    ...edge,
    host: config.SLACK_HOST,
    port: config.SLACK_PORT,
    signingSecret: settings.signingSecret,
    maxConnections: config.ALFRED_MAX_CONNECTIONS,
    networks: config.ALFRED_METRICS_NETWORKS,
    receive,
  });
  const sockets =
    settings.appToken === undefined
      ? undefined
      : createSocketReceiver({
          appToken: settings.appToken,
          apiUrl: settings.apiUrl,
          receive,
          log,
          metrics: edge.metrics,
        });
  if (sockets) readiness.addWarning('slack_sockets', sockets.warning);
  sockets?.start();
  const endRetention = startRetention({
    inbox: adapters.slackInbox,
    links: adapters.slackLinking,
    notifications: adapters.slackNotifications,
    posts: adapters.slackPosts,
    threads: adapters.slackThreads,
    log,
  });
  const host = config.SLACK_HOST.includes(':') ? `[${config.SLACK_HOST}]` : config.SLACK_HOST;
  const url = `http://${host}:${http.port}`;
  log.info({ url }, 'the Slack door is open');
  identity.then(
    ({ workspace, team }) => {
      problem = undefined;
      processor.start(team);
      poster.start(team);
      notifying.start(team);
      log.info({ workspace, team }, 'Alfred is in Slack');
    },
    () => undefined,
  );

  const graceMs = graceMsOf(config);
  const stop = async () => {
    const deadline = performance.now() + graceMs;
    // First: what waits for Slack's answer fails now, and is left to other processes.
    const processed = processor.stop(graceMs);
    stopping.abort(new Error('the process stops'));
    endRetention();
    await Promise.all([http.stop(graceMs), sockets?.stop(graceMs), processed, poster.stop(), notifying.stop()]);
    await withTimeout(calls.stop(), Math.max(0, deadline - performance.now()), () => undefined);
    log.info({ url }, 'the Slack door is closed');
  };
  let stopped: Promise<void> | undefined;
  return { url, stop: () => (stopped ??= stop()) };
}

/** @throws ConfigError */
function readSettings(config: Config): SlackSettings {
  let settings: SlackSettings | undefined;
  try {
    settings = slackSettingsOf(config);
  } catch (error) {
    throw new ConfigError((error as Error).message, { cause: error });
  }
  if (settings) return settings;
  throw new ConfigError('Slack is off: SLACK_BOT_TOKEN is not set, and SLACK_APP_TOKEN or SLACK_SIGNING_SECRET.');
}

type ProcessingDeps = Pick<ReturnType<typeof wirePosting>, 'calls' | 'notices' | 'owner'> & {
  edge: SlackEdge;
  adapters: SlackAdapters;
  agents: Agents;
  settings: SlackSettings;
  identity: Promise<Identity>;
  onAsked: () => void;
};

/** What works through the stored deliveries. It starts when Slack has answered who Alfred is there. */
function createProcessing({
  edge,
  adapters,
  agents,
  settings,
  calls,
  notices,
  owner,
  identity,
  onAsked,
}: ProcessingDeps) {
  const { config, log, metrics } = edge;
  const { slackThreads: threads, conversationRows: conversations } = adapters;
  const principals = createSlackPrincipals({
    people: createPeople(calls),
    links: adapters.slackUserLinks,
    rights: adapters.rights,
    tenant: settings.tenant,
  });
  const ask = createAsk({
    config,
    agents,
    principals,
    threads,
    posts: adapters.slackPosts,
    conversations,
    messages: adapters.messages,
    audit: adapters.audit,
    notices,
    onAsked,
  });
  const noticeChange = createNoticeChange({ threads, conversations, notices });
  const workspace = () => identity.then(({ workspace: name }) => name);
  const own = wireCommands({ edge, adapters, agents, calls, settings, workspace, principals, ask });
  const acting = createActing({ ...adapters, principals, posts: adapters.slackPosts, threads, notices, calls });
  const app = identity.then(({ botId, botUserId }) =>
    createBoltApp({
      botToken: settings.botToken,
      apiUrl: settings.apiUrl,
      identity: { botId, botUserId },
      ask,
      noticeChange,
      acting,
      ...own,
    }),
  );
  app.catch(() => undefined);
  const reports = createFailureReports({ notices, threads, identity });
  return createProcessor({
    inbox: adapters.slackInbox,
    owner,
    async handle(delivery) {
      const { body, attempts } = inWorkspace(delivery, (await identity).team);
      await (await app).processEvent({ body, ack: async () => undefined, customProperties: { attempts } });
    },
    mayPass,
    onPutBack(delivery) {
      if (delivery.attempts === attemptsBeforeNotice)
        reports
          .reportWait(delivery)
          .catch((err: unknown) => log.warn({ err }, 'a person does not read that a message waits'));
    },
    reportFailure: (delivery, error) => reports.reportFailure(delivery, error),
    log,
    metrics,
  });
}

/** Runs the Slack door in a process of its own until a signal ends it. */
export async function runSlack(config: Config): Promise<void> {
  readSettings(config);
  const edge = await openEdge(config, 'slack');
  await checkNamespaceAtStart({ db: edge.postgres.db, client: edge.client, config }, edge.log);
  const adapters = createAdapters(edge);
  void adapters.startListening();
  const slack = await startSlack(edge, adapters);
  edge.readiness.markServing();
  edge.metrics.coldStart.set(process.uptime());
  edge.log.info({ url: slack.url }, 'ready');
  onShutdown(edge.log, async () => {
    edge.readiness.markDraining();
    await slack.stop();
    await adapters.close();
    await edge.close();
  });
}
