import { randomUUID } from 'node:crypto';
import { agents as registeredAgents, findAgent, type Agents } from '../agents/index.ts';
import { checkAgentNames } from '../runtime/agent-settings.ts';
import { ConfigError, type Config } from '../runtime/config.ts';
import { openEdgeWithoutTemporal, type Edge } from '../runtime/edge.ts';
import { graceMsOf } from '../runtime/grace.ts';
import { onShutdown } from '../runtime/shutdown.ts';
import { slackSettingsOf, type SlackSettings } from '../runtime/slack-settings.ts';
import { withTimeout } from '../runtime/with-timeout.ts';
import { createAdapters, type Adapters } from '../wiring/adapters.ts';
import { createActing } from './acting/acting.ts';
import { createAsk } from './asking/ask.ts';
import { createNoticeChange } from './asking/notice-change.ts';
import { createPeople } from './asking/people.ts';
import { createSlackPrincipals } from './asking/slack-principals.ts';
import { createBoltApp } from './bolt-app.ts';
import { wireCommands } from './commands/wire-commands.ts';
import { wireFiles } from './files/wire-files.ts';
import { attemptsBeforeNotice, createFailureReports, mayPass } from './failures.ts';
import { identify, type Identity } from './identify.ts';
import { wirePosting } from './posting/wire-posting.ts';
import { inWorkspace } from './processing/in-workspace.ts';
import { createProcessor } from './processing/processor.ts';
import { startHttpReceiver } from './receiving/http-receiver.ts';
import { createReceive } from './receiving/receive.ts';
import { createSocketReceiver } from './receiving/socket-receiver.ts';
import { startRetention } from './retention.ts';
import { checkInstallations } from './workspaces/check-installations.ts';
import { createInstallPages } from './workspaces/install-pages.ts';
import { createRefusals } from './workspaces/refuse-delivery.ts';
import { serveWorkspaces, type ServedWorkspaces } from './workspaces/serve-workspaces.ts';
import { createWorkspaces, type Workspaces } from './workspaces/workspaces.ts';

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
  | 'ingestionEvents'
  | 'ledger'
  | 'messages'
  | 'rights'
  | 'slackChannels'
  | 'slackFeedback'
  | 'slackFiles'
  | 'slackInbox'
  | 'slackInstallations'
  | 'slackLinking'
  | 'slackPosts'
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
  const { config, log, metrics, readiness } = edge;
  const settings = readSettings(config);
  checkAgentNames(config, Object.keys(agents));
  if (!findAgent(agents, config.SLACK_AGENT))
    throw new ConfigError(
      `SLACK_AGENT names an agent that does not exist: "${config.SLACK_AGENT}". The agents are: ${Object.keys(agents).join(', ')}.`,
    );
  await adapters.checkAudit();

  const installations = settings.installing && adapters.slackInstallations;
  if (installations) await checkInstallations(installations, log);

  const stopping = new AbortController();
  const workspaces = createWorkspaces({ ...settings, installations, log });
  const { calls, openPoster, notices, observe, token } = wirePosting(edge, adapters, workspaces);
  let problem = settings.botToken === undefined ? undefined : 'Slack has not said yet who Alfred is there';
  readiness.addWarning('slack', async () => problem ?? token.problem());
  if (installations) readiness.addWarning('slack_workspaces', () => workspaces.problem());
  const identity =
    settings.botToken === undefined
      ? undefined
      : identify({ calls, log, signal: stopping.signal, onProblem: (found) => (problem = found) });
  const served: ServedWorkspaces = serveWorkspaces({
    own: identity,
    installations,
    isOwn: workspaces.isOwn,
    openProcessor: createProcessing({
      edge,
      adapters,
      agents,
      settings,
      workspaces,
      calls,
      notices,
      observe,
      signal: stopping.signal,
      onAsked: () => served.wakePosters(),
    }),
    openPoster,
    log,
  });
  const onStored = (team: string) => served.wakeProcessor(team);
  const receive = createReceive({ inbox: adapters.slackInbox, log, metrics, onStored });
  const http = await startHttpReceiver({
    ...edge,
    host: config.SLACK_HOST,
    port: config.SLACK_PORT,
    signingSecret: settings.signingSecret,
    maxConnections: config.ALFRED_MAX_CONNECTIONS,
    networks: config.ALFRED_METRICS_NETWORKS,
    receive,
    pages: createInstallPages({ ...settings, installations: adapters.slackInstallations, workspaces, served, log }),
  });
  const { appToken, apiUrl } = settings;
  const sockets =
    appToken === undefined ? undefined : createSocketReceiver({ appToken, apiUrl, receive, log, metrics });
  if (sockets) readiness.addWarning('slack_sockets', sockets.warning);
  sockets?.start();
  const endRetention = startRetention({
    files: adapters.slackFiles,
    inbox: adapters.slackInbox,
    installations: adapters.slackInstallations,
    links: adapters.slackLinking,
    posts: adapters.slackPosts,
    threads: adapters.slackThreads,
    teams: () => served.teams(),
    log,
    metrics,
  });
  const host = config.SLACK_HOST.includes(':') ? `[${config.SLACK_HOST}]` : config.SLACK_HOST;
  const url = `http://${host}:${http.port}`;
  log.info({ url }, 'the Slack door is open');
  served.start();
  identity?.then(
    ({ workspace, team }) => {
      problem = undefined;
      workspaces.setOwn(team, workspace);
      void served.startOwn(team);
      log.info({ workspace, team }, 'Alfred is in Slack');
    },
    () => undefined,
  );

  const graceMs = graceMsOf(config);
  const stop = async () => {
    const deadline = performance.now() + graceMs;
    // First: what waits for Slack's answer fails now, and is left to other processes.
    const ended = served.stop(graceMs);
    stopping.abort(new Error('the process stops'));
    endRetention();
    await Promise.all([http.stop(graceMs), sockets?.stop(graceMs), ended]);
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

type ProcessingDeps = Pick<ReturnType<typeof wirePosting>, 'calls' | 'notices' | 'observe'> & {
  edge: SlackEdge;
  adapters: SlackAdapters;
  agents: Agents;
  settings: SlackSettings;
  workspaces: Workspaces;
  /** The process stops. */
  signal: AbortSignal;
  onAsked: () => void;
};

/** What works through the stored deliveries of a workspace, once it is known who Alfred is there. */
function createProcessing({ edge, adapters, agents, settings, workspaces, ...more }: ProcessingDeps) {
  const { calls, notices, observe, signal, onAsked } = more;
  const { config, log, metrics } = edge;
  const { slackThreads: threads, conversationRows: conversations } = adapters;
  const principals = createSlackPrincipals({
    people: createPeople(calls),
    links: adapters.slackUserLinks,
    rights: adapters.rights,
    channels: adapters.slackChannels,
    tenantOf: workspaces.tenantOf,
  });
  const { readFiles, removeFiles } = wireFiles({
    edge,
    adapters,
    calls,
    apiUrl: settings.apiUrl,
    tokenOf: workspaces.tokenOf,
    observe,
    signal,
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
    files: adapters.slackFiles,
    readFiles,
    notices,
    onAsked,
  });
  const noticeChange = createNoticeChange({ threads, conversations, removeFiles, notices });
  const { replies, ...own } = wireCommands({ edge, adapters, agents, calls, settings, workspaces, principals, ask });
  const acting = createActing({
    ...adapters,
    principals,
    posts: adapters.slackPosts,
    threads,
    conversations,
    feedback: adapters.slackFeedback,
    onFeedback: (value) => metrics.slackFeedback.inc({ value }),
    notices,
    calls,
  });
  const refusals = createRefusals({
    workspaces,
    installations: settings.installing && adapters.slackInstallations,
    apiUrl: settings.apiUrl,
    log,
  });
  const appFor = ({ botId, botUserId }: Identity) =>
    createBoltApp({
      apiUrl: settings.apiUrl,
      identity: { botId, botUserId },
      ask,
      noticeChange,
      acting,
      endRevoked: refusals.endRevoked,
      ...own,
    });
  return (identity: Promise<Identity>) => {
    const app = identity.then(appFor);
    app.catch(() => undefined);
    const reports = createFailureReports({ notices, replies, threads, identity });
    return createProcessor({
      inbox: adapters.slackInbox,
      owner: randomUUID(),
      async handle(delivery, withoutPlace) {
        if (await refusals.refuse(delivery)) return;
        const { body, attempts, receivedAt } = inWorkspace(delivery, (await identity).team);
        const customProperties = { attempts, receivedAt, withoutPlace };
        await (await app).processEvent({ body, ack: async () => undefined, customProperties });
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
  };
}

/**
 * Runs the Slack door in a process of its own until a signal ends it. It receives while Temporal is away.
 *
 * @throws AlfredError `wrong_namespace` when Temporal answers at once and has another namespace
 */
export async function runSlack(config: Config): Promise<void> {
  readSettings(config);
  const edge = await openEdgeWithoutTemporal(config, 'slack');
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
