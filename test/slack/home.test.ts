import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { blockedTurn } from '../api/open-conversation.ts';
import { until, untilPasses } from '../support/until.ts';
import { createSlackHarness, type SlackHarness } from './slack-harness.ts';

let env: SlackHarness;
beforeAll(async () => {
  env = await createSlackHarness({}, { rateLimits: false });
});
afterAll(() => env?.close());

let count = 0;
const person = (more: { kind?: 'guest' } = {}) => env.slack.addUser({ name: `home${++count}`, ...more });
async function home(user: { id: string }): Promise<string> {
  env.slack.openApp(user.id);
  await env.slack.settled();
  await env.inboxIsEmpty();
  return env.slack.home(user.id)?.shown ?? '';
}

test('shows what runs for the person, what waits and what was spent, and nothing of others', async () => {
  const turn = blockedTurn('Yes.');
  const requests = env.script([turn.turn]);
  const [anna, bert] = [person(), person()];
  const channel = env.slack.directMessage(anna.id).id;
  const { ts } = env.slack.say(anna.id, channel, 'About ZIRCON?');
  await until('the model is asked', () => requests.length === 1);
  const shown = await home(anna);
  expect(shown).toMatch(
    /working on for you[^]*running[^]*ZIRCON[^]*decision[^]*Nothing\.[^]*today: \$0, 0 model calls/,
  );
  expect(shown).toContain('/alfred link');
  expect(await home(bert)).not.toContain('ZIRCON');
  turn.release();
  await env.answersIn(channel, ts);
  await untilPasses('the page of a later visit', async () => {
    const later = await home(anna);
    expect(later).toContain('Nothing at the moment');
    expect(later).toMatch(/today: .*1 model call,/);
  });
});

test('the tab with the messages publishes nothing', async () => {
  const anna = person();
  env.slack.openApp(anna.id, 'messages');
  await env.slack.settled();
  await env.inboxIsEmpty();
  expect(env.slack.home(anna.id)).toBeUndefined();
});

test('a guest reads why it is empty', async () => {
  expect(await home(person({ kind: 'guest' }))).toContain('does not answer guests');
});

test('a linked person sees the tasks of its subject', async () => {
  const anna = person();
  await env.postgres.pool.query(
    "insert into slack_links (team, user_id, tenant, subject) values ($1, $2, 'local', 'anna')",
    [env.slack.workspace.id, anna.id],
  );
  expect(await home(anna)).toContain('Here you are anna');
});
