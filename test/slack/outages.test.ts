import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { openPostgres } from '../../runtime/database/postgres.ts';
import { connectTemporal, createClient } from '../../runtime/temporal.ts';
import { createAdapters } from '../../wiring/adapters.ts';
import { createTcpProxy } from '../support/processes/tcp-proxy.ts';
import { until } from '../support/until.ts';
import { createSlackHarness, type SlackHarness } from './slack-harness.ts';

let env: SlackHarness;
let temporal: Awaited<ReturnType<typeof createTcpProxy>>;
let postgres: Awaited<ReturnType<typeof createTcpProxy>>;
const closes: (() => Promise<unknown>)[] = [];

// A bot whose ways to Temporal and Postgres can be cut, while workers go on.
beforeAll(async () => {
  env = await createSlackHarness({}, { rateLimits: false });
  await env.stopBot();
  temporal = await createTcpProxy(env.config.TEMPORAL_ADDRESS);
  const address = new URL(env.config.DATABASE_URL);
  postgres = await createTcpProxy(address.host);
  address.host = postgres.address;
  const config = { ...env.config, TEMPORAL_ADDRESS: temporal.address, DATABASE_URL: address.toString() };
  const connection = await connectTemporal(config);
  const database = openPostgres(config, env.log);
  const { log, metrics } = env;
  const adapters = createAdapters({
    config,
    log,
    metrics,
    postgres: database,
    client: createClient(connection, config),
  });
  const bot = await env.startBot({ adapters });
  closes.push(
    () => bot.stop(),
    () => adapters.close(),
    () => database.close(),
    () => connection.close(),
  );
});
beforeEach(() => {
  temporal.plug();
  postgres.plug();
});
afterAll(async () => {
  temporal.plug();
  postgres.plug();
  for (const close of closes) await close();
  await temporal.close();
  await postgres.close();
  await env?.close();
});

let count = 0;
function person() {
  const { id } = env.slack.addUser({ name: `person${++count}` });
  return { id, channel: env.slack.directMessage(id).id };
}
const tasksOf = async (id: string) =>
  (await env.tasks()).filter(({ subject }) => subject === `slack:${env.slack.workspace.id}:${id}`);

test('while Temporal is away a question is kept, the person reads that, and it is answered afterwards', async () => {
  const requests = env.script(() => ({ text: ['Here I am.'] }));
  const { id, channel } = person();
  temporal.cut();
  const { ts, deliveries } = env.slack.say(id, channel, 'Are you there?');
  expect((await deliveries[0]?.done)?.attempts).toMatchObject([{ outcome: 'acknowledged' }]);
  const seesNotice = () => env.slack.view(channel, ts).some(({ shown }) => shown.includes('Your message is kept'));
  await until('the person reads that the message waits', seesNotice);
  temporal.plug();
  const [answer] = await env.answersIn(channel, ts);
  expect(answer?.shown).toContain('Here I am.');
  expect(requests).toHaveLength(1);
  expect(await tasksOf(id)).toHaveLength(1);
});

test('while Postgres is away nothing is acknowledged, and what Slack repeats is answered once', async () => {
  const requests = env.script(() => ({ text: ['Once.'] }));
  const { id, channel } = person();
  postgres.cut();
  const { ts, deliveries } = env.slack.say(id, channel, 'Is it stored?');
  const [delivery] = deliveries;
  await until('two attempts have failed', () => (delivery?.attempts.length ?? 0) >= 2);
  expect(delivery).toMatchObject({ state: 'pending', attempts: [{ outcome: 'timeout' }, { outcome: 'timeout' }] });
  postgres.plug();
  env.slack.clock.advance(60_000);
  expect((await delivery?.done)?.attempts.at(-1)).toMatchObject({ outcome: 'acknowledged' });
  await env.answersIn(channel, ts);
  expect(requests).toHaveLength(1);
  expect(await tasksOf(id)).toHaveLength(1);
});

test('by HTTP, Slack reads 503 while Postgres is away', async () => {
  const { id, channel } = person();
  env.slack.useHttp(`${env.doors.at(-1)?.url}/slack/events`);
  postgres.cut();
  const { deliveries } = env.slack.say(id, channel, 'Is it stored?');
  expect((await deliveries[0]?.first)?.attempts).toMatchObject([{ outcome: 'http_error', status: 503 }]);
  env.slack.useHttp(undefined);
});

test('1,000 events are acknowledged within the 3 seconds of Slack while Temporal and the model stand still, and answered once afterwards', async () => {
  env.script(() => ({ text: ['Late.'], until: () => new Promise(() => undefined) }));
  const { id, channel } = person();
  temporal.cut();
  const asked: ReturnType<typeof env.slack.say>[] = [];
  // As many at a time as a busy workspace sends.
  for (let i = 0; i < 100; i++) {
    const batch = Array.from({ length: 10 }, (_, j) => env.slack.say(id, channel, `Question ${10 * i + j}`));
    await Promise.all(batch.flatMap(({ deliveries }) => deliveries.map(({ first }) => first)));
    asked.push(...batch);
  }
  const sent = asked.flatMap(({ deliveries }) => deliveries);
  const tookMs = sent.map(({ attempts }) => attempts[0]?.tookMs ?? Infinity).toSorted((a, b) => a - b);
  expect(sent.every(({ state }) => state === 'acknowledged')).toBe(true);
  console.log(`acknowledgement of 1,000 events: p50 ${tookMs[499]} ms, p99 ${tookMs[989]} ms`);
  const { rows } = await env.postgres.pool.query(
    "select count(*)::int as kept from slack_inbox where completed_at is null and body -> 'event' ->> 'channel' = $1",
    [channel],
  );
  expect(rows).toEqual([{ kept: 1_000 }]);

  // To answer all of them takes minutes.
  const last = asked.slice(-10);
  await env.postgres.pool.query("delete from slack_inbox where not (body -> 'event' ->> 'ts' = any($1))", [
    last.map(({ ts }) => ts),
  ]);
  env.script(() => ({ text: ['Late.'] }));
  temporal.plug();
  for (const { ts } of last) {
    const answers = await env.answersIn(channel, ts);
    expect(answers.map(({ shown }) => shown.includes('Late.'))).toEqual([true]);
  }
});
