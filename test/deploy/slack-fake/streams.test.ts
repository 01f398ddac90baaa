import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createClock, type SettableClock } from '../../../deploy/slack/fake/clock.ts';
import { type FakeWithClients, outcomeOf, startFakeWithClients } from '../../support/slack/slack-clients.ts';

let fake: FakeWithClients;
let clock: SettableClock;
beforeEach(async () => {
  clock = createClock({ speed: 0 });
  fake = await startFakeWithClients({ clock, rateLimits: false });
});
afterEach(() => fake.stop());

/** Starts a stream below a question in the channel. */
async function start(more: Record<string, unknown> = {}) {
  const { slack, client, ada, general } = fake;
  const question = slack.mention(ada, general, 'and?');
  const { ts = '' } = await client.chat.startStream({
    channel: general.id,
    thread_ts: question.ts,
    recipient_user_id: ada.id,
    recipient_team_id: slack.workspace.id,
    ...more,
  });
  return { channel: general.id, ts, thread: question.ts };
}

const seen = ({ channel, ts }: { channel: string; ts: string }) =>
  fake.slack.viewAll(channel).find((message) => message.ts === ts);

describe('a stream', () => {
  test('shows text as it comes, and blocks at its end', async () => {
    const { client } = fake;
    const { thread: _, ...stream } = await start({ markdown_text: 'Hello ' });
    await client.chat.appendStream({ ...stream, markdown_text: '**world**' });
    expect(seen(stream)).toMatchObject({ shown: 'Hello **world**', streaming: 'in_progress' });
    const blocks = [{ type: 'context', elements: [{ type: 'mrkdwn', text: 'sources' }] }];
    await client.chat.stopStream({ ...stream, markdown_text: '!', blocks });
    expect(seen(stream)).toMatchObject({ shown: 'Hello **world**!\nsources', streaming: 'completed' });
  });

  test("Slack's own streamer works with it", async () => {
    const { slack, client, ada } = fake;
    const channel = slack.directMessage(ada);
    const question = slack.say(ada, channel, 'and?');
    const streamer = client.chatStream({ channel: channel.id, thread_ts: question.ts, buffer_size: 4 });
    for (const piece of ['on', 'e two', ' three']) await streamer.append({ markdown_text: piece });
    await streamer.stop();
    expect(slack.view(channel, question.ts).at(-1)?.shown).toBe('one two three');
  });

  test('a task is replaced by its next update; details and output are added to what is there', async () => {
    const { client } = fake;
    const task = { type: 'task_update' as const, id: 't1', title: 'Search', status: 'in_progress' as const };
    const { thread: _, ...stream } = await start({ chunks: [{ ...task, details: 'a' }] });
    await client.chat.appendStream({
      ...stream,
      chunks: [
        { type: 'markdown_text', text: 'Found it.' },
        { ...task, title: 'Searched', status: 'complete', details: 'b' },
      ],
    });
    expect(seen(stream)?.shown).toBe('✓ Searched\n  ab\nFound it.');
  });

  test('a plan has its title and all tasks together', async () => {
    const { client } = fake;
    const task = (id: string) => ({
      type: 'task_update' as const,
      id,
      title: `step ${id}`,
      status: 'complete' as const,
    });
    const { thread: _, ...stream } = await start({ task_display_mode: 'plan', chunks: [task('1')] });
    const chunks = [
      { type: 'markdown_text' as const, text: 'text' },
      task('2'),
      { type: 'plan_update' as const, title: 'Plan' },
    ];
    await client.chat.appendStream({ ...stream, chunks });
    expect(seen(stream)?.shown).toBe('Plan\n✓ step 1\n✓ step 2\ntext');
  });

  test('a task still open at the end is shown as failed', async () => {
    const { client } = fake;
    const chunks = [{ type: 'task_update', id: 't1', title: 'Search', status: 'in_progress' }];
    const { thread: _, ...stream } = await start({ chunks });
    await client.chat.stopStream(stream);
    expect(seen(stream)?.shown).toBe('✗ Search');
  });
});

describe('the end of a stream', () => {
  test('five minutes after its start it takes nothing more, however busy it was', async () => {
    const { client } = fake;
    const { thread: _, ...stream } = await start({ markdown_text: 'a' });
    for (let minute = 0; minute < 4; minute += 1) {
      clock.advance(60_000);
      await client.chat.appendStream({ ...stream, markdown_text: String(minute) });
    }
    clock.advance(59_999);
    await client.chat.appendStream({ ...stream, markdown_text: 'z' });
    clock.advance(1);
    const appended = client.chat.appendStream({ ...stream, markdown_text: 'late' });
    expect(await outcomeOf(appended)).toBe('message_not_in_streaming_state');
    expect(await outcomeOf(client.chat.stopStream(stream))).toBe('message_not_in_streaming_state');
    expect(seen(stream)).toMatchObject({ shown: 'a0123z', streaming: 'errored' });
  });

  test('while it runs chat.update is refused; after its death it replaces the text', async () => {
    const { client } = fake;
    const { thread: _, ...stream } = await start({ markdown_text: 'half' });
    expect(await outcomeOf(client.chat.update({ ...stream, text: 'whole' }))).toBe('streaming_state_conflict');
    clock.advance(5 * 60_000);
    await client.chat.update({ ...stream, markdown_text: 'whole' });
    expect(seen(stream)?.shown).toBe('whole');
  });

  test('a stopped stream takes nothing more', async () => {
    const { client } = fake;
    const { thread: _, ...stream } = await start({ markdown_text: 'a' });
    await client.chat.stopStream(stream);
    expect(await outcomeOf(client.chat.stopStream(stream))).toBe('message_not_in_streaming_state');
  });

  test("a person's stop ends it, and the app learns which messages", async () => {
    const { slack, client, ada } = fake;
    const { thread, ...stream } = await start({ markdown_text: 'a' });
    const [delivery] = slack.stopTask(ada, stream.channel, thread);
    expect(delivery?.payload['event']).toMatchObject({
      type: 'agent_session_stopped',
      user: ada.id,
      thread_ts: thread,
      streaming_message_ts: [stream.ts],
    });
    expect(await outcomeOf(client.chat.appendStream({ ...stream, markdown_text: 'b' }))).toBe('stopped_by_user');
    expect(() => slack.stopTask(ada, stream.channel, thread)).toThrow('only while the app works');
  });
});

describe('what a stream refuses', () => {
  test('a channel needs the recipient and the recipient’s team', async () => {
    expect(await outcomeOf(start({ recipient_user_id: undefined }))).toBe('missing_recipient_user_id');
    expect(await outcomeOf(start({ recipient_team_id: undefined }))).toBe('missing_recipient_team_id');
    expect(await outcomeOf(start({ recipient_user_id: 'U404' }))).toBe('user_not_found');
  });

  test('text and chunks in one call, or one after the other', async () => {
    const { client } = fake;
    const chunks = [{ type: 'markdown_text' as const, text: 'b' }];
    const both = start({ markdown_text: 'a', chunks });
    expect(await outcomeOf(both)).toBe('cannot_provide_both_markdown_text_and_chunks');
    const { thread: _, ...stream } = await start({ markdown_text: 'a' });
    expect(await outcomeOf(client.chat.appendStream({ ...stream, chunks }))).toBe('streaming_mode_mismatch');
    expect(await outcomeOf(client.chat.appendStream(stream))).toBe('no_text');
  });

  test('a refused start leaves no message', async () => {
    const { slack, general } = fake;
    expect(await outcomeOf(start({ markdown_text: 'x'.repeat(12_001) }))).toBe('msg_too_long');
    expect(await outcomeOf(start({ markdown_text: 'x'.repeat(11_000) }))).toBe('msg_too_long');
    expect(slack.viewAll(general).filter(({ fromApp }) => fromApp)).toEqual([]);
  });

  test('more than 10,600 bytes in sum: the append is refused whole, and a shorter one fits', async () => {
    const { client } = fake;
    const { thread: _, ...stream } = await start({ markdown_text: 'x'.repeat(10_000) });
    expect(await outcomeOf(client.chat.appendStream({ ...stream, markdown_text: 'ä'.repeat(301) }))).toBe(
      'msg_too_long',
    );
    expect(seen(stream)?.shown).toHaveLength(10_000);
    expect(await outcomeOf(client.chat.appendStream({ ...stream, markdown_text: 'ä'.repeat(300) }))).toBe('ok');
  });

  test.each([
    ['an unknown chunk', { type: 'poem', text: 'x' }],
    ['a task without a state', { type: 'task_update', id: '1', title: 'x' }],
    [
      'details beyond 256 characters',
      { type: 'task_update', id: '1', title: 'x', status: 'complete', details: 'x'.repeat(257) },
    ],
    ['a title beyond 256 characters', { type: 'task_update', id: '1', title: 'x'.repeat(257), status: 'complete' }],
    ['a plan’s title beyond 256 characters', { type: 'plan_update', title: 'x'.repeat(257) }],
    [
      'a source without a text',
      {
        type: 'task_update',
        id: '1',
        title: 'x',
        status: 'complete',
        sources: [{ type: 'url', url: 'https://x.org' }],
      },
    ],
  ])('%s', async (_what, chunk) => {
    expect(await outcomeOf(start({ chunks: [chunk] }))).toBe('invalid_chunks');
  });

  test('a stream of no one’s, and blocks beyond 50', async () => {
    const { slack, client, ada, general } = fake;
    const { ts } = slack.say(ada, general, 'mine');
    const append = client.chat.appendStream({ channel: general.id, ts, markdown_text: 'x' });
    expect(await outcomeOf(append)).toBe('message_not_owned_by_app');
    const { thread: _, ...stream } = await start({ markdown_text: 'a' });
    const blocks = Array.from({ length: 51 }, () => ({ type: 'divider' }));
    expect(await outcomeOf(client.chat.stopStream({ ...stream, blocks }))).toBe('msg_blocks_too_many');
  });
});

test.each(['timeline', 'plan'])('a stream has at most 50 blocks: tasks count (%s)', async (task_display_mode) => {
  const { client } = fake;
  const task = (id: number) => ({
    type: 'task_update' as const,
    id: String(id),
    title: 'x',
    status: 'complete' as const,
  });
  const chunks = Array.from({ length: 50 }, (_, id) => task(id));
  const { thread: _, ...stream } = await start({ task_display_mode, chunks });
  expect(await outcomeOf(client.chat.appendStream({ ...stream, chunks: [task(0)] }))).toBe('ok');
  expect(await outcomeOf(client.chat.appendStream({ ...stream, chunks: [task(50)] }))).toBe('msg_blocks_too_many');
  expect(await outcomeOf(client.chat.stopStream({ ...stream, blocks: [{ type: 'divider' }] }))).toBe('ok');
});

describe('the status of a thread', () => {
  test('is removed after two minutes, by a message, and by an empty text', async () => {
    const { slack, client, ada, general } = fake;
    const { ts } = slack.mention(ada, general, 'and?');
    const set = (status: string) =>
      client.assistant.threads.setStatus({ channel_id: general.id, thread_ts: ts, status });
    await set('is thinking…');
    clock.advance(119_999);
    expect(slack.status(general, ts)).toBe('is thinking…');
    clock.advance(1);
    expect(slack.status(general, ts)).toBeUndefined();

    await set('is searching…');
    await client.chat.postMessage({ channel: general.id, thread_ts: ts, text: 'found' });
    expect(slack.status(general, ts)).toBeUndefined();

    await set('is writing…');
    await set('');
    expect(slack.status(general, ts)).toBeUndefined();
  });

  test('an update of a message does not remove it; a thread must exist', async () => {
    const { slack, client, ada, general } = fake;
    const question = slack.mention(ada, general, 'and?');
    const channel = general.id;
    const { ts = '' } = await client.chat.postMessage({ channel, thread_ts: question.ts, text: 'one' });
    await client.assistant.threads.setStatus({ channel_id: channel, thread_ts: question.ts, status: 'is thinking…' });
    await client.chat.update({ channel, ts, text: 'two' });
    expect(slack.status(general, question.ts)).toBe('is thinking…');
    const unknown = client.assistant.threads.setStatus({ channel_id: channel, thread_ts: '1.1', status: 'x' });
    expect(await outcomeOf(unknown)).toBe('invalid_thread_ts');
  });
});
