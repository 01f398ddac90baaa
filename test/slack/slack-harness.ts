import { createFakeSlack, type FakeSlackOptions } from '../../deploy/slack/fake/fake-slack.ts';
import type { Config } from '../../runtime/config.ts';
import { createReadiness } from '../../runtime/readiness.ts';
import { startSlack } from '../../slack/compose.ts';
import { createTaskHarness } from '../support/tasks/task-harness.ts';
import { until } from '../support/until.ts';

type Overrides = { [Name in keyof Config]?: string };

/**
 * The Slack door with the real adapters, workers and a scripted model, and a fake Slack.
 *
 * @param overrides variables, also by what the fake Slack has
 * @param registry  replaces the agent `knowledge` with others
 */
export async function createSlackHarness(
  overrides: Overrides | ((slack: ReturnType<typeof createFakeSlack>) => Overrides) = {},
  options: FakeSlackOptions = {},
  registry: Parameters<typeof createTaskHarness>[1] = {},
) {
  const slack = createFakeSlack(options);
  await slack.start();
  const variables = {
    SLACK_BOT_TOKEN: slack.workspace.botToken,
    SLACK_APP_TOKEN: slack.app.appToken,
    SLACK_SIGNING_SECRET: slack.app.signingSecret,
    SLACK_API_URL: slack.apiUrl,
    SLACK_PORT: '0',
    ...(typeof overrides === 'function' ? overrides(slack) : overrides),
  };
  const harness = await createTaskHarness(variables, registry);
  const readiness = createReadiness({ postgres: async () => void (await harness.postgres.pool.query('select 1')) });
  const edge = { ...harness, readiness, readMetrics: () => harness.metrics.registry.metrics() };
  const doors: Awaited<ReturnType<typeof startSlack>>[] = [];
  /** Starts a bot, as a process of its own would be. @param others replace what the harness has */
  async function startBot({ adapters, config }: { adapters?: Partial<typeof harness>; config?: Config } = {}) {
    const open = slack.connections().length;
    const door = await startSlack({ ...edge, ...(config && { config }) }, { ...harness, ...adapters });
    doors.push(door);
    await until('the sockets are open', () => slack.connections().length >= open + 2);
    return door;
  }
  const bot = await startBot();
  readiness.markServing();

  return {
    ...harness,
    slack,
    readiness,
    bot,
    doors,
    startBot,
    /** Stops the first bot, and waits until Slack has noticed. */
    async stopBot() {
      const open = slack.connections().length;
      await bot.stop();
      await until('the sockets are closed', () => slack.connections().length <= open - 2);
    },
    /** Waits until a thread has this many messages of Alfred that are no notices, and none is under way. */
    answersIn: (channel: string, thread: string, count = 1) =>
      until(`${count} answers in the thread ${thread}`, async () => {
        const { rows } = await harness.postgres.pool.query(
          'select finished_at, messages from slack_posts where channel = $1 and thread_ts = $2 order by created_at',
          [channel, thread],
        );
        if (rows.length < count || rows.some((row) => row.finished_at === null)) return undefined;
        const shown = new Set(rows.flatMap((row) => row.messages.map((message: { ts: string }) => message.ts)));
        return slack.view(channel, thread).filter(({ ts }) => shown.has(ts));
      }),
    /** What one person alone sees of Alfred in a channel and its threads. */
    noticesIn: (channel: string, as: string) =>
      slack.viewAll(channel, { as }).filter(({ fromApp, ephemeral }) => fromApp && ephemeral),
    inboxIsEmpty: () => until('the inbox is empty', async () => (await harness.slackInbox.depth()) === 0),
    /** The port, which `tasks` here is not. */
    taskRows: harness.tasks,
    tasks: async () =>
      (await harness.postgres.pool.query('select id, subject, tenant, status from tasks order by created_at')).rows,
    async close() {
      for (const door of doors) await door.stop();
      await harness.close();
      await slack.stop();
    },
  };
}
export type SlackHarness = Awaited<ReturnType<typeof createSlackHarness>>;
