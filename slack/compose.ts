import { agents as registeredAgents, findAgent, type Agents } from '../agents/index.ts';
import { checkAgentNames } from '../runtime/agent-settings.ts';
import { ConfigError, type Config } from '../runtime/config.ts';
import { openEdgeWithoutTemporal, type Edge } from '../runtime/edge.ts';
import { graceMsOf } from '../runtime/grace.ts';
import { onShutdown } from '../runtime/shutdown.ts';
import { slackSettingsOf, type SlackSettings } from '../runtime/slack-settings.ts';
import { withTimeout } from '../runtime/with-timeout.ts';
import { createAdapters, type Adapters } from '../wiring/adapters.ts';
import { identify } from './identify.ts';
import { wireNotifying } from './notifying/wire-notifying.ts';
import { wirePosting } from './posting/wire-posting.ts';
import { wireProcessing } from './processing/wire-processing.ts';
import { wireReceiving } from './receiving/wire-receiving.ts';
import { startRetention } from './retention.ts';
import { checkInstallations } from './workspaces/check-installations.ts';
import { createInstallPages } from './workspaces/install-pages.ts';
import { serveWorkspaces, type ServedWorkspaces } from './workspaces/serve-workspaces.ts';
import { createWorkspaces } from './workspaces/workspaces.ts';

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
  const { calls, openPoster, checkChannel, notices, observe, token } = wirePosting(edge, adapters, workspaces);
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
    openProcessor: wireProcessing({
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
  const onPosts = () => served.wakePosters();
  const notifying = wireNotifying({ edge, adapters, calls, checkChannel, settings, onPosts });
  const receiving = await wireReceiving({
    edge,
    inbox: adapters.slackInbox,
    settings,
    pages: createInstallPages({ ...settings, installations: adapters.slackInstallations, workspaces, served, log }),
    onStored: (team) => served.wakeProcessor(team),
  });
  const endRetention = startRetention({
    files: adapters.slackFiles,
    inbox: adapters.slackInbox,
    installations: adapters.slackInstallations,
    links: adapters.slackLinking,
    notifications: adapters.slackNotifications,
    posts: adapters.slackPosts,
    results: adapters.slackRunResults,
    threads: adapters.slackThreads,
    teams: () => served.teams(),
    log,
    metrics,
  });
  const { url } = receiving;
  log.info({ url }, 'the Slack door is open');
  served.start();
  identity?.then(
    ({ workspace, team }) => {
      problem = undefined;
      workspaces.setOwn(team, workspace);
      void served.startOwn(team);
      notifying.start(team);
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
    await Promise.all([receiving.stop(graceMs), ended, notifying.stop()]);
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
