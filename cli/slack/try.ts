import { setTimeout as sleep } from 'node:timers/promises';
import { startPageServer } from '../../deploy/slack/try/page-server.ts';
import { createTrial, type Trial } from '../../deploy/slack/try/trial.ts';
import { loadConfig, type Config } from '../../runtime/config.ts';
import { openEdge } from '../../runtime/edge.ts';
import { pendingMigrations } from '../../runtime/database/pending-migrations.ts';
import { createLogger, prettyStream } from '../../runtime/logger.ts';
import { onShutdown } from '../../runtime/shutdown.ts';
import { checkNamespaceAtStart } from '../../runtime/temporal-namespace.ts';
import { startSlack } from '../../slack/compose.ts';
import { createAdapters } from '../../wiring/adapters.ts';
import { CliError } from '../cli-error.ts';
import { rethrowDatabaseError } from '../rethrow-database-error.ts';
import { localRun } from '../stack.ts';
import { doorUrl, readDoor } from './check-door.ts';
import { readDatabase } from './read-database.ts';
import { slackEnvironment } from './slack-environment.ts';

const usualPort = 8012;
const portsTried = 100;
const socketWaitMs = 15_000;

/**
 * Runs the Slack door against a fake Slack, joined to the stack that runs, until a signal ends the process.
 *
 * @param port that of the page; default: the next free one
 * @returns the address of the page
 */
export async function trySlack({ port }: { port?: number | undefined }): Promise<{ url: string }> {
  const environment = await slackEnvironment();
  if (!(await localRun()) && !environment['DATABASE_URL'])
    throw new CliError(
      'No stack runs in this clone. Start one with `npm start`, leave it running, and repeat this command in a second terminal.\nFor a stack elsewhere set DATABASE_URL and TEMPORAL_ADDRESS.',
    );
  await refuseSecondDoor(environment);
  const trial = createTrial();
  await trial.slack.start();
  const opened: Opened = [() => trial.slack.stop()];
  try {
    const config = configOf(environment, trial);
    await checkDatabase(config, trial.slack.workspace.id);
    const page = await openPage(trial, port);
    opened.push(() => page.stop());
    await runDoor(config, opened);
    await socketIsOpen(trial);
    return { url: page.url };
  } catch (error) {
    await closeAll(opened);
    throw error;
  }
}

/** What closes what is open, in the order in which it was opened. */
type Opened = (() => Promise<unknown>)[];

/** The newest first, each once. */
async function closeAll(opened: Opened): Promise<void> {
  while (opened.length > 0) await opened.pop()?.();
}

/** As `slack/main.ts` runs it, with its log on standard error. */
async function runDoor(config: Config, opened: Opened): Promise<void> {
  const edge = await openEdge(config, 'slack', createLogger(config, 'slack', prettyStream(process.stderr)));
  opened.push(() => edge.close());
  await checkNamespaceAtStart({ db: edge.postgres.db, client: edge.client, config }, edge.log);
  const adapters = createAdapters(edge);
  opened.push(() => adapters.close());
  void adapters.startListening();
  const door = await startSlack(edge, adapters);
  opened.push(() => door.stop());
  onShutdown(edge.log, () => closeAll(opened));
}

/** A message that finds no socket open comes again after a minute. */
async function socketIsOpen({ slack }: Trial): Promise<void> {
  const deadline = Date.now() + socketWaitMs;
  while (slack.connections().length === 0 && Date.now() < deadline) await sleep(20);
}

type Environment = Record<string, string | undefined>;

const joined = { secretsMayLack: true };

/** A trial takes what any Slack door on its database has received, and the other one what the trial receives. */
async function refuseSecondDoor(environment: Environment): Promise<void> {
  const config = loadConfig(withoutSlack(environment), joined);
  const door = await readDoor(config);
  if (door && (door.dependencies['slack'] || Object.keys(door.dependencies).length === 0))
    throw new CliError(
      `This Alfred is in Slack already: its door answers at ${doorUrl(config)}. On one database a trial and that door would answer each other's messages.\nEnd it and start Alfred without SLACK_BOT_TOKEN, or start a second stack: \`SLACK_BOT_TOKEN= SLACK_APP_TOKEN= ALFRED_DATA_DIR=/tmp/alfred-trial npm start\`, and this command with the same ALFRED_DATA_DIR.`,
    );
}

/** What names a workspace, its channels, its people and the app. */
const ofWorkspace =
  /^SLACK_(BOT_TOKEN|APP_TOKEN|SIGNING_SECRET|CLIENT_|INSTALLATION_KEY|PUBLIC_URL|LINK_BY_EMAIL|ALERTS_CHANNEL|APPROVALS_CHANNEL)/;

const withoutSlack = (environment: Environment): Environment =>
  Object.fromEntries(Object.entries(environment).filter(([name]) => !ofWorkspace.test(name)));

const configOf = (environment: Environment, { slack }: Trial): Config =>
  loadConfig(
    {
      ...withoutSlack(environment),
      SLACK_BOT_TOKEN: slack.workspace.botToken,
      SLACK_APP_TOKEN: slack.app.appToken,
      SLACK_API_URL: slack.apiUrl,
      SLACK_HOST: '127.0.0.1',
      SLACK_PORT: '0',
      ALFRED_LOG_LEVEL: environment['ALFRED_LOG_LEVEL'] ?? 'error',
    },
    joined,
  );

/** @param team the workspace of trials, which is the same in each */
async function checkDatabase(config: Config, team: string): Promise<void> {
  const { pending, other } = await readDatabase(config, async ({ db, pool }) => {
    const pending = await pendingMigrations(db);
    if (pending.length > 0) return { pending, other: undefined };
    const { rows } = await pool.query<{ team: string }>(
      `select team from slack_inbox where completed_at is null and team <> $1
       union select team from slack_posts where finished_at is null and team <> $1`,
      [team],
    );
    return { pending, other: rows[0]?.team };
  }).catch(rethrowDatabaseError(config));
  if (pending.length > 0)
    throw new CliError(`The database lacks ${pending.join(', ')}: run \`alfred migrate\`, or start Alfred again.`);
  if (other !== undefined)
    throw new CliError(
      `Messages of the workspace ${other} wait in this database, and a trial would take them. Start Alfred with its tokens until they are answered, or use a second stack.`,
    );
}

async function openPage(trial: Trial, wanted: number | undefined) {
  const ports = wanted === undefined ? Array.from({ length: portsTried }, (_, i) => usualPort + i) : [wanted];
  for (const port of ports)
    try {
      return await startPageServer(trial, port);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    }
  throw new CliError(
    wanted === undefined
      ? `No port from ${usualPort} to ${usualPort + portsTried - 1} is free: name one with --port.`
      : `Port ${wanted} is taken: leave --port out, and the next free one is used.`,
  );
}
