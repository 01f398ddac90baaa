import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { actionIds } from '../../slack/rendering/actions.ts';
import { until, untilPasses } from '../support/until.ts';
import { createActingHarness, type ActingHarness } from './acting-harness.ts';

let env: ActingHarness;
beforeAll(async () => {
  env = await createActingHarness();
});
afterAll(() => env?.close());
beforeEach(() => void env.ran.splice(0));

const decisions = async (thread: string) =>
  (await env.events(thread)).filter(({ type }) => type === 'approval.decided').map(({ data }) => data);
const subjectOf = ({ id }: { id: string }) => `slack:${env.team}:${id}`;

describe('a call that waits for a person', () => {
  test('is decided in a channel by whom its rule names; others read privately who that is', async () => {
    const [asker, boss] = [env.person(), env.person()];
    await env.link(boss.id, 'ben', ['boss']);
    const { channel, thread, message, ref } = await env.askFor('pay', [asker, boss]);
    expect(message.shown).toContain('*pay* is to be decided by anybody with the role boss');
    expect(message.shown).toContain('"amount": 500');
    expect((await env.slack.press(asker, ref, actionIds.approve)).acknowledged).toBe(true);
    await env.slack.command(boss.id, env.slack.directMessage(boss).id, '/alfred', 'approvals');
    const listed = await env.notice(env.slack.directMessage(boss).id, boss);
    expect(listed).toContain(`/archives/${channel}/p${ref.ts.replace('.', '')}`);
    const refused = await env.notice(channel, asker);
    expect(refused).toContain('You may not decide this');
    expect(refused).toContain('anybody with the role boss');
    expect(env.noticesIn(channel, boss.id)).toEqual([]);
    expect(await decisions(thread)).toEqual([]);
    await env.slack.press(boss, ref, actionIds.approve);
    const [answer] = await env.answersIn(channel, thread);
    expect(answer).toMatchObject({ ts: message.ts, shown: expect.stringContaining('Done.') });
    expect(answer?.shown).not.toContain('[Approve]');
    expect(await decisions(thread)).toMatchObject([{ by: 'ben', runs: true }]);
    expect(env.ran).toEqual([{ tool: 'pay', input: { amount: 500 } }]);
    await untilPasses('both are in the audit log', async () => {
      const entries = await env.audited('approval.decide');
      expect(entries).toContainEqual({ subject: 'ben', via: 'slack', outcome: 'ok', code: null });
      expect(entries).toContainEqual({
        subject: subjectOf(asker),
        via: 'slack',
        outcome: 'refused',
        code: 'not_found',
      });
    });
  });

  test('is decided by no one while the tenant is suspended, and by the same press afterwards', async () => {
    const [asker, other] = [env.person(), env.person()];
    const { channel, thread, ref } = await env.askFor('file', [asker, other]);
    await env.setTenant('suspended');
    try {
      for (const action of [actionIds.approve, actionIds.deny]) {
        const seen = env.noticesIn(channel, other.id).length;
        await env.slack.press(other, ref, action);
        expect(await env.notice(channel, other, seen)).toContain('suspended, and nothing starts. The reason:');
      }
    } finally {
      await env.setTenant('active');
    }
    expect(await decisions(thread)).toEqual([]);
    await env.slack.press(other, ref, actionIds.approve);
    await env.answersIn(channel, thread);
    expect(await decisions(thread)).toMatchObject([{ runs: true, by: subjectOf(other) }]);
    await untilPasses('both refusals are in the audit log', async () => {
      const refused = (await env.audited('approval.decide')).filter(({ code }) => code === 'tenant_suspended');
      expect(refused).toHaveLength(2);
    });
  });

  test('is decided once, however often it is pressed, and the next reads who decided', async () => {
    const [asker, other] = [env.person(), env.person()];
    const { channel, thread, ref } = await env.askFor('file', [asker, other]);
    const presses = [
      env.slack.press(other, ref, actionIds.approve),
      env.slack.press(other, ref, actionIds.approve),
      env.slack.press(asker, ref, actionIds.deny),
    ];
    await Promise.all(presses);
    await env.answersIn(channel, thread);
    await env.processed();
    const decided = await decisions(thread);
    expect(decided).toHaveLength(1);
    const [first, late] = decided[0]?.by === subjectOf(other) ? [other, asker] : [asker, other];
    expect(env.noticesIn(channel, late.id).at(-1)?.shown).toContain(`already, by <@${first.id}>`);
    expect(env.ran).toHaveLength(first === other ? 1 : 0);
  });

  test('with four eyes is decided by none who has asked in the thread, linked or not', async () => {
    const [asker, other] = [env.person(), env.person()];
    const { channel, thread, ref } = await env.askFor('sign', [asker, other]);
    await env.slack.press(asker, ref, actionIds.approve);
    expect(await env.notice(channel, asker)).toContain('You have asked in the Slack thread');
    await env.link(asker.id, 'eve', ['boss']);
    const before = env.noticesIn(channel, asker.id).length;
    await env.slack.press(asker, ref, actionIds.approve);
    await until('a second line', () => env.noticesIn(channel, asker.id).length > before);
    expect(await decisions(thread)).toEqual([]);
    await env.slack.press(other, ref, actionIds.deny);
    await env.answersIn(channel, thread);
    expect(await decisions(thread)).toMatchObject([{ by: subjectOf(other), runs: false }]);
    expect(env.ran).toEqual([]);
  });

  test('is refused to a guest', async () => {
    const guest = env.slack.addUser({ name: 'guest', kind: 'guest' });
    const { channel, thread, ref } = await env.askFor('file', [env.person(), guest]);
    await env.slack.press(guest, ref, actionIds.approve);
    expect(await env.notice(channel, guest)).toContain('does not answer guests');
    expect(await decisions(thread)).toEqual([]);
  });

  test('waits in a direct message, and is decided there', async () => {
    const asker = env.person();
    const { id: channel } = env.slack.directMessage(asker);
    env.script([{ calls: [{ tool: 'file', arguments: { amount: 1 } }] }, { text: ['Done.'] }]);
    const { ts: thread } = env.slack.say(asker, channel, 'Do it.');
    const { ts } = await env.shows(channel, thread, '[Approve]');
    await env.slack.press(asker, { channel, ts }, actionIds.approve);
    await env.answersIn(channel, thread);
    expect(await decisions(thread)).toMatchObject([{ by: subjectOf(asker), runs: true }]);
  });

  test('is decided after bot and workers were started again; a press on the old message changes nothing', async () => {
    const [asker, other] = [env.person(), env.person()];
    const { channel, thread, ref } = await env.askFor('file', [asker, other]);
    await env.startBot();
    await env.stopBot();
    await env.restartWorkers();
    const pressed = await env.slack.press(other, ref, actionIds.approve);
    const [answer] = await env.answersIn(channel, thread);
    expect(answer?.ts).toBe(ref.ts);
    expect(await decisions(thread)).toHaveLength(1);
    // A window of Slack that has not seen the change.
    const payload = { ...pressed.delivery.payload, trigger_id: 'another', user: { id: asker.id, team_id: env.team } };
    await env.slack.deliver('interactive', payload).first;
    expect(await env.notice(channel, asker)).toContain(`It was approved already, by <@${other.id}>`);
    expect(env.ran).toHaveLength(1);
  });
});

describe('the form', () => {
  test('decides with a comment and other arguments, and keeps what is wrong', async () => {
    const [asker, other] = [env.person(), env.person()];
    const { channel, thread, ref } = await env.askFor('file', [asker, other]);
    await env.slack.press(other, ref, actionIds.review);
    const opened = await until('the form', () => env.slack.modal(other));
    expect(opened.shown).toContain('"amount": 500');
    await env.slack.submit(other, { decision: 'approve', edit: '{"amount": ', comment: 'less' });
    await until('the problem', () => env.slack.modal(other)?.shown.includes('no JSON object'));
    await env.slack.submit(other, { decision: 'approve', edit: '{"amount": "lots"}' });
    await until('the refusal of the tool', () => env.slack.modal(other)?.shown.includes('amount'));
    await env.slack.submit(other, { decision: 'approve', edit: '{"amount": 50}', comment: 'less' });
    await env.answersIn(channel, thread);
    expect(await decisions(thread)).toMatchObject([{ by: subjectOf(other), comment: 'less', edited: { amount: 50 } }]);
    expect(env.ran).toEqual([{ tool: 'file', input: { amount: 50 } }]);
  });

  test('is not opened for a person without the right', async () => {
    const [asker, other] = [env.person(), env.person()];
    const { channel, ref } = await env.askFor('pay', [asker, other]);
    await env.slack.press(other, ref, actionIds.review);
    expect(await env.notice(channel, other)).toContain('anybody with the role boss');
    expect(env.slack.modal(other)).toBeUndefined();
  });

  test('denies with a comment, which the model reads', async () => {
    const [asker, other] = [env.person(), env.person()];
    const { channel, thread, ref } = await env.askFor('file', [asker, other]);
    await env.slack.press(other, ref, actionIds.review);
    await until('the form', () => env.slack.modal(other));
    await env.slack.submit(other, { decision: 'deny', comment: 'Too much.' });
    await env.answersIn(channel, thread);
    expect(await decisions(thread)).toMatchObject([{ runs: false, comment: 'Too much.', edited: null }]);
    expect(env.ran).toEqual([]);
  });
});
