import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { actionIds } from '../../slack/rendering/actions.ts';
import { createActingHarness, type ActingHarness } from './acting-harness.ts';

let env: ActingHarness;
beforeAll(async () => {
  env = await createActingHarness({ approvals: [], budget: { maxModelCalls: 1 } });
});
afterAll(() => env?.close());

type Person = ReturnType<ActingHarness['person']>;

/** The first of the people asks for what reaches the limit. */
async function askBeyondLimit(asker: Person, ...others: Person[]) {
  env.tool('note', async () => ({ output: { did: 'note' }, summary: 'noted' }));
  env.script([{ calls: [{ tool: 'note', arguments: {} }] }, { text: ['Done.'] }]);
  const { id: channel } = env.slack.addChannel({ name: `c${Math.random()}`, members: [asker, ...others] });
  const { ts: thread } = env.slack.mention(asker.id, channel, 'Do it.');
  const { ts } = await env.shows(channel, thread, '[Grant more: 2 model calls in all] [Stop]');
  return { channel, thread, ref: { channel, ts } };
}

test('a task of a suspended tenant gets no more, and the person reads why', async () => {
  const asker = env.person();
  const { channel, thread, ref } = await askBeyondLimit(asker);
  await env.setTenant('suspended');
  try {
    await env.slack.press(asker, ref, actionIds.grant);
    expect(await env.notice(channel, asker)).toContain('suspended, and nothing starts. The reason:');
  } finally {
    await env.setTenant('active');
  }
  expect((await env.events(thread)).filter(({ type }) => type === 'budget.granted')).toEqual([]);
  await env.slack.press(asker, ref, actionIds.grant);
  await env.answersIn(channel, thread);
});

test('a task at its limit goes on when who asked grants more; others read how', async () => {
  const [asker, other, operator] = [env.person(), env.person(), env.person()];
  await env.link(operator.id, 'olga', ['operator']);
  const ask = () => askBeyondLimit(asker, other, operator);
  const { channel, thread, ref } = await ask();
  await env.slack.press(other, ref, actionIds.grant);
  expect(await env.notice(channel, other)).toContain('You may not raise this budget');
  expect(await env.statusOf(thread)).toBe('waiting');
  const [pressed] = await Promise.all([
    env.slack.press(asker, ref, actionIds.grant),
    env.slack.press(asker, ref, actionIds.grant),
  ]);
  const [answer] = await env.answersIn(channel, thread);
  expect(answer?.shown).toContain('Done.');
  const granted = (await env.events(thread)).filter(({ type }) => type === 'budget.granted');
  expect(granted).toMatchObject([{ data: { budget: { maxModelCalls: 2 } } }]);

  // Deleted meanwhile, and pressed in a window that has not seen it.
  await env.postgres.pool.query(
    'update tasks set erased_at = now() where id = (select task_id from slack_posts where thread_ts = $1)',
    [thread],
  );
  // The second of the two presses may still be handled.
  await env.processed();
  const seen = env.noticesIn(channel, asker.id).length;
  await env.slack.deliver('interactive', { ...pressed.delivery.payload, trigger_id: 'late' }).first;
  expect(await env.notice(channel, asker, seen)).toContain('not there any more');

  const second = await ask();
  await env.slack.press(operator, second.ref, actionIds.grant);
  await env.answersIn(second.channel, second.thread);
  expect(await env.audited('budget.grant')).toContainEqual({
    subject: 'olga',
    via: 'slack',
    outcome: 'ok',
    code: null,
  });
});
