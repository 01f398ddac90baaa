import { setTimeout as sleep } from 'node:timers/promises';
import { agentQueue, systemQueue } from '../../contract/ids.ts';
import { seededRandom } from '../../cli/eval/seeded-random.ts';
import { createFakeSlack } from '../../deploy/slack/fake/fake-slack.ts';
import type { Act } from '../../deploy/slack/fake/people.ts';
import { createAdapterEnvironment } from '../support/environment/adapter-environment.ts';
import { createKillableProcesses, pick } from '../support/processes/killable-processes.ts';
import { createTcpProxy } from '../support/processes/tcp-proxy.ts';
import { startCountingProvider } from '../support/providers/counting-provider.ts';
import { answersAmong } from '../support/slack/answers.ts';
import { until } from '../support/until.ts';

export type Victim = 'bot' | 'worker' | 'both';
export const victims = ['bot', 'worker', 'both'] as const satisfies Victim[];

/** An answer is written for about five seconds. */
const words = 200;
const pieceMs = 25;
const answerMs = words * pieceMs;

/** No other response has this text, and a word that is lost or repeated shows. */
const answerTo = (task: string, serial: number) =>
  `Response ${serial} to ${task}: ${Array.from({ length: words }, (_, n) => `word${n}`).join(' ')}.`;

/** A question of a person, and what Slack sent about it. */
export type Asked = Act & { user: string; text: string };
export type ProcessHarness = Awaited<ReturnType<typeof createProcessHarness>>;

/**
 * Slack doors and a worker as processes, which are started again when they end. The fake Slack and the provider of the
 * model are in this process.
 *
 * @param bots how many doors there are
 */
export async function createProcessHarness({ bots: botCount = 1 } = {}) {
  const slack = createFakeSlack();
  await slack.start();
  const provider = await startCountingProvider({ pieceMs, callsAt: () => [], answerTo });
  const env = await createAdapterEnvironment({
    ALFRED_MODEL: 'openai:counting',
    ALFRED_MODELS: '{"openai:counting": {"input": 1, "output": 1, "contextTokens": 200000}}',
    OPENAI_BASE_URL: provider.url,
    SLACK_BOT_TOKEN: slack.workspace.botToken,
    SLACK_APP_TOKEN: slack.app.appToken,
    SLACK_API_URL: slack.apiUrl,
    SLACK_PORT: '0',
  });
  const temporal = await createTcpProxy(env.config.TEMPORAL_ADDRESS);
  /** What processes wrote last that ended without being killed. */
  const ended: string[] = [];
  const watch = { urlFor: () => env.config.DATABASE_URL, onEnd: (message: string) => void ended.push(message) };
  const throughProxy = { ...env.config, TEMPORAL_ADDRESS: temporal.address };
  const bots = createKillableProcesses(['slack/main.ts'], throughProxy, watch);
  const queues = [agentQueue('knowledge'), systemQueue].flatMap((queue) => ['--queue', queue]);
  const workers = createKillableProcesses(['workers/main.ts', ...queues], env.config, watch);
  for (let n = 0; n < botCount; n++) bots.start();
  workers.start();

  let people = 0;
  const { pool } = env.postgres;
  const team = slack.workspace.id;

  return {
    slack,
    temporal,
    bots,
    workers,
    ended,

    ready: () =>
      until(
        `${botCount} doors with open sockets and a worker`,
        () =>
          bots.ready().length === botCount &&
          workers.ready().length === 1 &&
          slack.connections().filter(({ leaving }) => !leaving).length === 2 * botCount,
        { withinMs: 120_000 },
      ),

    /** A person who asks for the first time, in a direct message. */
    ask(text: string): Asked {
      const user = slack.addUser({ name: `person${++people}` });
      return { user: user.id, text, ...slack.say(user, slack.directMessage(user).id, text) };
    },

    /** With SIGKILL. @param random chooses among several */
    kill(victim: Victim, random: () => number) {
      if (victim !== 'worker') bots.kill(pick(random, bots.ready()));
      if (victim !== 'bot') workers.kill(pick(random, workers.ready()));
    },

    /** Waits until Slack has delivered these messages: what a killed door did not acknowledge comes after a minute. */
    delivered: (asked: Asked[]) =>
      until(
        'each message is acknowledged',
        () => {
          const open = asked.flatMap(({ deliveries }) => deliveries).filter(({ state }) => state === 'pending');
          // The first two attempts follow each other at once.
          if (open.some(({ attempts }) => attempts.length >= 2)) slack.clock.advance(60_000);
          return open.length === 0;
        },
        { withinMs: 120_000, everyMs: 2_000 },
      ),

    answered: (asked: Asked[], withinMs: number) =>
      until(
        `${asked.length} questions are answered`,
        async () => {
          const { rows } = await pool.query<{ thread_ts: string }>(
            'select thread_ts from slack_posts where finished_at is not null',
          );
          const done = new Set(rows.map(({ thread_ts: thread }) => thread));
          const open = asked.filter(({ ts }) => !done.has(ts)).map(({ text }) => text);
          return open.length === 0 ? true : { open };
        },
        { accept: (state) => state === true, withinMs, everyMs: 250 },
      ),

    /** What became of a question: in Slack, and in the rows of its tasks. */
    async outcome({ user, channel, ts }: Asked) {
      const scope = { tenant: 'local', subject: `slack:${team}:${user}` };
      const { rows } = await pool.query<{ id: string }>('select id from tasks where subject = $1', [scope.subject]);
      const tasks = await Promise.all(rows.map(({ id }) => env.adapters.tasks.get(scope, id)));
      const answers = answersAmong(slack.view(channel, ts));
      return {
        tasks: tasks.map((task) => ({ status: task?.status, text: textOf(task?.result) })),
        messages: answers.map(({ blocks, streaming }) => ({
          text: markdownOf(blocks),
          isOpen: streaming === 'in_progress',
        })),
      };
    },

    async close() {
      await Promise.all([bots.end(), workers.end()]);
      await temporal.close();
      await env.close();
      await provider.close();
      await slack.stop();
    },
  };
}

/**
 * Asks a question for each kill, and kills at a random moment from when Slack sends it until after its answer is
 * complete. Answers of earlier questions are under way meanwhile.
 *
 * @returns the questions
 */
export async function killAtRandom(harness: ProcessHarness, { kills, seed }: { kills: number; seed: number }) {
  const random = seededRandom(seed);
  const asked: Asked[] = [];
  const lines: string[] = [];
  for (let n = 0; n < kills; n++) {
    const victim = victims[n % victims.length] ?? 'both';
    await harness.ready();
    asked.push(harness.ask(`question ${n}`));
    const afterMs = Math.round(random() * 1.3 * answerMs);
    await sleep(afterMs);
    harness.kill(victim, random);
    lines.push(`${victim} ${afterMs} ms after question ${n}`);
  }
  await harness.ready();
  return { asked, lines };
}

const textOf = (result: unknown): string | undefined => (result as { text?: string } | null | undefined)?.text;

const markdownOf = (blocks: Record<string, unknown>[]): string =>
  blocks.flatMap(({ type, text }) => (type === 'markdown' ? [String(text)] : [])).join('');
