import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { taskWorkflowId } from '../../contract/ids.ts';
import { actionIds } from '../../slack/rendering/actions.ts';
import { blockedTurn } from '../api/open-conversation.ts';
import { until, untilPasses } from '../support/until.ts';
import { createActingHarness, type ActingHarness } from './acting-harness.ts';

let env: ActingHarness;
beforeAll(async () => {
  env = await createActingHarness();
});
afterAll(() => env?.close());

async function workflowStatus(thread: string): Promise<string> {
  const { rows } = await env.postgres.pool.query('select task_id from slack_posts where thread_ts = $1', [thread]);
  return (await env.client.workflow.getHandle(taskWorkflowId(rows[0]?.task_id)).describe()).status.name;
}

async function stoppedBy(thread: string): Promise<string | undefined> {
  const { rows } = await env.postgres.pool.query(
    `select t.cancel_request ->> 'by' as by from tasks t join slack_posts p on p.task_id = t.id where p.thread_ts = $1`,
    [thread],
  );
  return rows[0]?.by;
}

describe('the stop button of a message', () => {
  test('stops the task for who has asked in the thread, and for no one else', async () => {
    const [asker, other] = [env.person(), env.person()];
    const { channel, thread, ref } = await env.askFor('pay', [asker, other]);
    await env.slack.press(other, ref, actionIds.stop);
    expect(await env.notice(channel, other)).toContain('Only who has asked in this thread');
    expect(await env.statusOf(thread)).toBe('waiting');
    const pressed = await env.slack.press(asker, ref, actionIds.stop);
    const [answer] = await env.answersIn(channel, thread);
    expect(answer?.shown).toContain('*Stopped.* Stopped in Slack.\nNothing was changed.');
    expect(await env.statusOf(thread)).toBe('cancelled');
    // The task is the channel's, and a person has stopped it.
    expect(await stoppedBy(thread)).toBe(`slack:${env.team}:${asker.id}`);
    await until('the workflow has ended', async () => (await workflowStatus(thread)) !== 'RUNNING');
    expect(env.slack.status(channel, thread) ?? '').toBe('');
    // Again, from a window that has not seen the end.
    await env.slack.deliver('interactive', { ...pressed.delivery.payload, trigger_id: 'another' }).first;
    await env.processed();
    expect(env.noticesIn(channel, asker.id)).toEqual([]);
    await untilPasses('both are in the audit log', async () => {
      const entries = await env.audited('task.cancel');
      const entryOf = ({ id }: { id: string }) => ({ subject: `slack:${env.team}:${id}`, via: 'slack' });
      expect(entries).toContainEqual({ ...entryOf(asker), outcome: 'ok', code: null });
      expect(entries).toContainEqual({ ...entryOf(other), outcome: 'refused', code: 'not_found' });
    });
  });

  test('of a task that has ended stops nothing that came after it', async () => {
    const [asker, other] = [env.person(), env.person()];
    const { channel, thread, ref } = await env.askFor('file', [asker, other]);
    const stopOf = env.slack
      .view(channel, thread)
      .find(({ ts }) => ts === ref.ts)
      ?.blocks.at(-1);
    const pressed = await env.slack.press(asker, ref, actionIds.approve);
    await env.answersIn(channel, thread);
    const { turn, release } = blockedTurn('The second.');
    const requests = env.script([turn]);
    env.slack.say(asker, channel, 'And now?', thread);
    await until('the model is asked', () => requests.length === 1);
    await env.processed();
    const seen = env.noticesIn(channel, asker.id).length;
    const [{ value }] = (stopOf as { elements: { value: string }[] }).elements.slice(-1) as [{ value: string }];
    const actions = [{ action_id: actionIds.stop, type: 'button', value }];
    await env.slack.deliver('interactive', { ...pressed.delivery.payload, trigger_id: 'old', actions }).first;
    expect(await env.notice(channel, asker, seen)).toContain('ended already');
    release();
    const answers = await env.answersIn(channel, thread, 2);
    expect(answers.at(-1)?.shown).toContain('The second.');
  });

  test('what was done before stands there, and is taken back by who asked', async () => {
    const [asker, other] = [env.person(), env.person()];
    const { turn } = blockedTurn('Never.');
    const { channel, thread, ref } = await env.askFor('file', [asker, other], [turn]);
    await env.slack.press(other, ref, actionIds.approve);
    await until('the call is made', () => env.ran.length > 0);
    await env.shows(channel, thread, 'file was done', '[Stop]');
    await env.slack.press(asker, ref, actionIds.stop);
    const [answer] = await env.answersIn(channel, thread);
    expect(answer?.shown).toContain('Done before it stopped:\n• file was done (done)');
    expect(answer?.shown).toContain('[Undo]');
    await env.slack.press(other, ref, actionIds.undo);
    expect(await env.notice(channel, other)).toContain('Only who has asked');
    expect(env.undone).toEqual([]);
    await untilPasses('the refusal is in the audit log', async () =>
      expect(await env.audited('task.undo')).toMatchObject([{ outcome: 'refused', code: 'not_found' }]),
    );
    await env.slack.press(asker, ref, actionIds.undo);
    expect(await env.notice(channel, asker)).toContain('file was done');
    await until('it is taken back', () => env.undone.length === 1);
    const undos = async () => (await env.metrics.slackUndos.get()).values.map(({ labels, value }) => [labels, value]);
    expect(await undos()).toEqual([
      [{ outcome: 'refused' }, 1],
      [{ outcome: 'begun' }, 1],
    ]);
    await env.shows(channel, thread, 'file was done (undone)');
    const answers = await env.answersIn(channel, thread);
    expect(answers).toHaveLength(1);
    expect(answers[0]?.shown).not.toContain('[Undo]');
  });
});

describe('the stop button of Slack', () => {
  test('stops what runs in the thread, and the status goes', async () => {
    const asker = env.person();
    const { id: channel } = env.slack.directMessage(asker);
    // Without text no stream begins, in whose place the status goes.
    const requests = env.script([{ ...blockedTurn('').turn, text: [] }]);
    const { ts: thread } = env.slack.say(asker, channel, 'Think.');
    await until('the model is asked', () => requests.length === 1);
    await until('the status', () => env.slack.status(channel, thread));
    const [stop] = env.slack.stopTask(asker, channel, thread);
    const [answer] = await env.answersIn(channel, thread);
    expect(answer?.shown).toContain('*Stopped.*');
    expect(env.slack.status(channel, thread) ?? '').toBe('');
    expect(await env.statusOf(thread)).toBe('cancelled');
    expect(await stoppedBy(thread)).toBe(`slack:${env.team}:${asker.id}`);

    // A process that has ended before it completed the delivery leaves it to another one, which handles it again.
    const { turn, release } = blockedTurn('The second.');
    const second = env.script([turn]);
    env.slack.say(asker, channel, 'And now?', thread);
    await until('the model is asked again', () => second.length === 1);
    const { pool } = env.postgres;
    await pool.query(
      `insert into slack_inbox (key, kind, team, lane, body, received_at)
       values ('again', 'event', $1, 'again', $2, now() - interval '1 minute')`,
      [env.team, JSON.stringify(stop?.payload)],
    );
    await env.inboxIsEmpty();
    release();
    expect((await env.answersIn(channel, thread, 2)).at(-1)?.shown).toContain('The second.');
  });
});
