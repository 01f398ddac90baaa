import { findAgent } from '../agents/index.ts';
import { loadAgents, type KnownAgents } from '../agents/packs/load-agents.ts';
import { ConfigError, type Config } from '../runtime/config.ts';
import { openEdgeWithoutTemporal, type Edge } from '../runtime/edge.ts';
import { graceMsOf } from '../runtime/grace.ts';
import { onShutdown } from '../runtime/shutdown.ts';
import { slackSettingsOf, type SlackSettings } from '../runtime/slack-settings.ts';
import { withTimeout } from '../runtime/with-timeout.ts';
import { createAdapters, type Adapters } from '../wiring/adapters.ts';
import { createRemoveFiles, startSweepOfFiles } from './files/remove-files.ts';
import { identifyOwn } from './identify.ts';
import { wireNotifying } from './notifying/wire-notifying.ts';
import { wirePosting } from './posting/wire-posting.ts';
import { wireProcessing } from './processing/wire-processing.ts';
import { wireReceiving } from './receiving/wire-receiving.ts';
import { startRetention } from './retention.ts';
import type { SlackPorts } from './slack-ports.ts';
import { checkInstallations } from './workspaces/check-installations.ts';
import { createInstallPages } from './workspaces/install-pages.ts';
import { serveWorkspaces, type ServedWorkspaces } from './workspaces/serve-workspaces.ts';
import { createWorkspaces } from './workspaces/workspaces.ts';

type SlackEdge = Pick<Edge, 'config' | 'log' | 'metrics' | 'readMetrics' | 'readiness'>;
type SlackAdapters = SlackPorts & Pick<Adapters, 'checkAudit'>;

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
export async function startSlack(givenEdge: SlackEdge, adapters: SlackAdapters): Promise<RunningSlack> {
  const settings = readSettings(givenEdge.config);
  const known = await loadAgents(givenEdge);
  const { agents, config } = known;
  checkAgent(known);
  const edge = { ...givenEdge, config };
  const { log, metrics, readiness } = edge;
  await adapters.checkAudit();

  const installations = settings.installing && adapters.slackInstallations;
  if (installations) await checkInstallations(installations, log);

  const stopping = new AbortController();
  const workspaces = createWorkspaces({ ...settings, installations, log });
  const { calls, infoOf, openPoster, checkChannel, notices, observe, token } = wirePosting(edge, adapters, workspaces);
  const own = identifyOwn(settings.botToken, { calls, log, signal: stopping.signal });
  const { identity } = own;
  readiness.addWarning('slack', async () => own.problem() ?? token.problem());
  if (installations) readiness.addWarning('slack_workspaces', () => workspaces.problem());
  const removeFiles = createRemoveFiles({ ...adapters, files: adapters.slackFiles });
  const served: ServedWorkspaces = serveWorkspaces({
    own: identity,
    isOwnRefused: own.isRefused,
    installations,
    isOwn: workspaces.isOwn,
    ...wireProcessing({
      edge,
      adapters,
      agents,
      settings,
      workspaces,
      calls,
      infoOf,
      notices,
      removeFiles,
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
    pages: createInstallPages({
      ...settings,
      installations: adapters.slackInstallations,
      workspaces,
      served,
      proxies: config.ALFRED_TRUSTED_PROXIES,
      log,
    }),
    isKnown: workspaces.isKnown,
    onStored: (team) => served.wakeProcessor(team),
  });
  const endRetention = startRetention({
    files: adapters.slackFiles,
    inbox: adapters.slackInbox,
    installations: adapters.slackInstallations,
    links: adapters.slackLinking,
    notifications: adapters.slackNotifications,
    posts: adapters.slackPosts,
    threads: adapters.slackThreads,
    teams: () => served.teams(),
    log,
    metrics,
  });
  const endSweep = startSweepOfFiles(removeFiles, log);
  const { url } = receiving;
  log.info({ url }, 'the Slack door is open');
  served.start();
  identity?.then(
    ({ workspace, team }) => {
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
    endSweep();
    await Promise.all([receiving.stop(graceMs), ended, notifying.stop()]);
    await withTimeout(calls.stop(), Math.max(0, deadline - performance.now()), () => undefined);
    log.info({ url }, 'the Slack door is closed');
  };
  let stopped: Promise<void> | undefined;
  return { url, stop: () => (stopped ??= stop()) };
}

/** An agent of a refused pack is not asked, and the door is open for the rest. @throws ConfigError */
function checkAgent({ agents, config: { SLACK_AGENT: name }, refused }: KnownAgents): void {
  const mayBeRefused = refused.some(({ agents: names }) => names === undefined || names.includes(name));
  if (findAgent(agents, name) || mayBeRefused) return;
  throw new ConfigError(
    `SLACK_AGENT names an agent that does not exist: "${name}". The agents are: ${Object.keys(agents).join(', ')}.`,
  );
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
