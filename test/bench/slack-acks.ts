import { percentile } from '../../cli/eval/measures.ts';
import { agentQueue, systemQueue } from '../../contract/ids.ts';
import { startRole } from '../support/processes/role-process.ts';
import { answersAmong } from '../support/slack/answers.ts';
import { until } from '../support/until.ts';
import { formatThousands, judge, printTimes, runConcurrently } from './measure.ts';
import type { Surroundings } from './servers.ts';
import { socketsAreOpen, startFakeSlack } from './slack-stack.ts';
import { openStack } from './stack.ts';

/** As many messages as a busy workspace sends at a time. */
const atOnce = 10;
const people = 200;
const limitMs = 500;
/** Slack takes about one message a second in a channel, and Alfred keeps that. */
const longestAnswersMs = 60 * 60_000;

/**
 * Measures how long the Slack door takes to acknowledge messages while Temporal stands still, and with it the model:
 * nothing answers and no connection breaks. Then Temporal goes on, and each message must get one answer.
 */
export async function measureSlackAcks({ count, ...surroundings }: { count: number } & Surroundings) {
  const { cleanups } = surroundings;
  const { slack, variables } = await startFakeSlack(surroundings);
  const { config, edge, pids } = await openStack(surroundings, { ...variables, ALFRED_MODEL: 'offline:quote' });
  const door = startRole('slack/main.ts', [], config);
  cleanups.push(() => door.end('SIGKILL'));
  await door.ready;
  await socketsAreOpen(slack);
  const users = Array.from({ length: people }, (_, n) => slack.addUser({ name: `person${n}` }));
  cleanups.push(async () => void process.kill(pids.Temporal, 'SIGCONT'));
  process.kill(pids.Temporal, 'SIGSTOP');

  const { results: asked, seconds } = await runConcurrently(count, atOnce, async (n) => {
    const { id } = users[n % people] as { id: string };
    const question = slack.say(id, slack.directMessage(id).id, `Question ${n}`);
    await question.deliveries[0]?.first;
    return question;
  });
  const firsts = asked.flatMap(({ deliveries }) => deliveries.flatMap(({ attempts }) => attempts.slice(0, 1)));
  const tookMs = firsts.map((attempt) => attempt.tookMs);
  const acknowledged = firsts.filter(({ outcome }) => outcome === 'acknowledged').length;
  const perSecond = (count / seconds).toFixed(0);
  console.log(
    `\n${formatThousands(count)} messages, ${atOnce} at a time, ${perSecond} a second; Temporal stands still`,
  );
  printTimes('acknowledgement', tookMs);
  judge(`${acknowledged} of ${count} acknowledged at the first attempt`, acknowledged === count);
  judge(`p99 below ${limitMs} ms`, percentile(tookMs, 0.99) < limitMs);

  process.kill(pids.Temporal, 'SIGCONT');
  const queues = [agentQueue('knowledge'), systemQueue].flatMap((queue) => ['--queue', queue]);
  const worker = startRole('workers/main.ts', queues, config, { ALFRED_HEALTH_PORT: '0' });
  cleanups.push(() => worker.end('SIGKILL'));
  await worker.ready;
  const startedAtMs = performance.now();
  await until(
    'each message is answered',
    async () => {
      const { rows } = await edge.postgres.pool.query<{ n: number }>(
        'select count(*)::int as n from slack_posts where finished_at is not null',
      );
      return rows[0]?.n ?? 0;
    },
    { accept: (n) => n === count, withinMs: longestAnswersMs, everyMs: 1_000 },
  );
  const minutes = ((performance.now() - startedAtMs) / 60_000).toFixed(1);
  const { rows } = await edge.postgres.pool.query<{ n: number }>('select count(*)::int as n from tasks');
  const once = asked.filter(({ channel, ts }) => answersAmong(slack.view(channel, ts)).length === 1).length;
  judge(
    `${once} of ${count} answered by one message, with ${rows[0]?.n} tasks, ${minutes} minutes later`,
    once === count,
  );
}
