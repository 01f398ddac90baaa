import { afterEach, expect, test } from '@jest/globals';
import type { Effect } from '../../../contract/task.ts';
import { answerScript, createStage, taskEvents, withoutIds, wordsOf, type Stage } from './posting-stage.ts';

let stage: Stage;
afterEach(() => stage.close());

type Post = Awaited<ReturnType<Stage['ask']>>;

const expectResult = (post: Post) =>
  expect(post.answers().map(({ blocks }) => withoutIds(blocks))).toEqual(post.result().map(({ blocks }) => blocks));
const longAnswer = () => answerScript(wordsOf(1_400), { pieces: 40, overMs: 60_000 });
const methods = ['chat.startStream', 'chat.appendStream', 'chat.stopStream', 'chat.update', 'chat.postMessage'];

test.each([...methods, 'assistant.threads.setStatus'])('a 429 of %s loses nothing', async (method) => {
  stage = await createStage();
  stage.addProcess();
  stage.fake.faults.rateLimit(method, 3, 5);
  const post = await stage.ask(longAnswer());
  await stage.clock.run(post.finished());
  expectResult(post);
  expect(stage.counted.filter((line) => line === `${method} ratelimited`)).toHaveLength(3);
  expect(stage.counted.filter((line) => line.startsWith('retried'))).toEqual([]);
});

test.each(methods)('an answer of %s that gets lost repeats nothing that is shown', async (method) => {
  stage = await createStage();
  stage.addProcess();
  stage.fake.faults.loseAnswer(method);
  const post = await stage.ask(longAnswer());
  await stage.clock.run(post.finished());
  expectResult(post);
  expect(stage.counted).toContain('retried unavailable');
});

test('Slack is away for four minutes: the answer goes on afterwards, in the same message', async () => {
  stage = await createStage();
  stage.addProcess();
  const post = await stage.ask(answerScript(wordsOf(400), { pieces: 100, overMs: 6 * 60_000 }));
  await stage.pass(30_000);
  stage.fake.faults.setOutage(true);
  await stage.pass(4 * 60_000);
  stage.fake.faults.setOutage(false);
  await stage.clock.run(post.finished());
  expectResult(post);
  expect(post.answers()).toHaveLength(1);
});

test('the database is away for two minutes: the answer goes on afterwards, in the same message', async () => {
  stage = await createStage();
  let isAway = false;
  stage.addProcess({
    tap: async (name, act) => {
      if (isAway && !name.includes('.')) throw new Error('the database is away');
      return act();
    },
  });
  const post = await stage.ask(answerScript(wordsOf(400), { pieces: 100, overMs: 4 * 60_000 }));
  await stage.pass(30_000);
  isAway = true;
  await stage.pass(2 * 60_000);
  isAway = false;
  await stage.clock.run(post.finished());
  expectResult(post);
  expect(post.answers()).toHaveLength(1);
});

test('a message that a person deletes comes back once, as the end', async () => {
  stage = await createStage();
  stage.addProcess();
  const post = await stage.ask(answerScript(wordsOf(400), { pieces: 100, overMs: 60_000 }));
  await stage.pass(20_000);
  const deleted = post.answers()[0]?.ts ?? '';
  stage.channel.messages = stage.channel.messages.filter(({ ts }) => ts !== deleted);
  await stage.pass(20_000);
  expect(post.answers()).toEqual([]);
  await stage.clock.run(post.finished());
  expectResult(post);
  expect(post.answers()).toHaveLength(1);
});

test('a message that a person deletes comes back when the task needs a person, and not before', async () => {
  stage = await createStage();
  stage.addProcess();
  const call = { callId: 'c1', step: 1, tool: 'pay' };
  const approval = { approvalId: '5f0c2a57-1d1c-4f0e-9a57-4a1b3f0c2a57', argumentsHash: 'h' };
  const asked = { ...approval, arguments: { amount: 500 }, approvers: {}, fourEyes: false };
  const decided = { ...approval, decision: 'approved', runs: true, by: 'anna', comment: null, edited: null } as const;
  const post = await stage.ask([
    ...answerScript(wordsOf(200), { pieces: 50, overMs: 30_000 }).filter(([, { type }]) => type !== 'task.completed'),
    [90_000, { type: 'approval.requested', data: { ...call, ...asked, expiresAt: '2026-01-08T08:00:00Z' } }],
    [150_000, { type: 'approval.decided', data: { ...call, ...decided } }],
    [180_000, taskEvents.completed('Paid.')],
  ]);
  await stage.pass(20_000);
  const deleted = post.answers()[0]?.ts ?? '';
  stage.channel.messages = stage.channel.messages.filter(({ ts }) => ts !== deleted);
  await stage.pass(60_000);
  expect(post.answers()).toEqual([]);
  await stage.pass(30_000);
  expect(post.answers().map(({ shown }) => shown)).toEqual([expect.stringContaining('[Approve]')]);
  await stage.clock.run(post.finished());
  expectResult(post);
  expect(post.answers()).toHaveLength(1);
});

const closed: [string, (stage: Stage) => void][] = [
  ['archived', ({ fake, channel }) => fake.archive(channel)],
  ['left by the bot', ({ fake, channel }) => void fake.expel(channel, fake.workspace.botUserId)],
];
test.each(closed)('a channel that is %s ends the post with a log line', async (_, close) => {
  stage = await createStage();
  stage.addProcess();
  const post = await stage.ask([
    [0, taskEvents.started],
    [60_000, taskEvents.completed('done')],
  ]);
  await stage.pass(30_000);
  close(stage);
  await stage.clock.run(post.finished());
  expect(stage.counted).toContain('ended closed');
  const line = stage.logs.find(({ message }) => message.includes('the channel takes none'));
  expect(line).toMatchObject({ level: 'warn', taskId: post.taskId });
  const calls = stage.fake.calls.length;
  await stage.pass(60 * 60_000);
  expect(stage.fake.calls).toHaveLength(calls);
});

test('an answer waits while the workspace is without the app, and is shown when the app is back', async () => {
  stage = await createStage();
  stage.addProcess();
  const post = await stage.ask([
    [0, taskEvents.started],
    [60_000, taskEvents.completed('done')],
  ]);
  await stage.pass(30_000);
  stage.fake.uninstall(stage.fake.workspace);
  await stage.pass(10 * 60_000);
  expect(post.answers()).toEqual([]);
  stage.fake.workspace.installed = true;
  await stage.clock.run(post.finished());
  expectResult(post);
});

test('a stopped task that is undone is shown again until the outcome of the undo is there', async () => {
  stage = await createStage();
  stage.addProcess();
  const call = { callId: 'c1', step: 1, tool: 'pay' };
  const done: Effect = { ...call, summary: 'paid', state: 'done', at: '2026-01-01T00:00:00.000Z' };
  const { type, data } = taskEvents.cancelled('enough');
  const post = await stage.ask([
    [0, taskEvents.started],
    [1_000, { type, data: { ...data, effects: [done] } }],
    [60_000, { type: 'effect.undone', data: { ...call, state: 'undone', summary: 'paid back' } }],
  ]);
  await stage.clock.run(post.finished());
  expect(JSON.stringify(post.answers())).toContain('paid (done)');
  stage.undoing.add(post.taskId);
  await stage.posts.showAgain(post.taskId);
  await stage.pass(60_000);
  stage.undoing.clear();
  await stage.clock.run(post.finished());
  expect(JSON.stringify(post.answers())).toContain('paid (undone)');
  expectResult(post);
  expect(post.answers()).toHaveLength(1);
});

test('a post that fails for a day after the end of its task is given up, with few calls', async () => {
  stage = await createStage();
  stage.addProcess({ pollMs: 10_000 });
  const post = await stage.ask([
    [0, taskEvents.started],
    [1_000, taskEvents.completed('done')],
  ]);
  stage.fake.faults.setOutage(true);
  await stage.clock.run(post.finished());
  const hours = ((post.row().finishedAt ?? 0) - Number(post.question.ts) * 1_000) / 3_600_000;
  expect(hours).toBeGreaterThan(24);
  expect(hours).toBeLessThan(25);
  expect(stage.counted).toContain('ended given_up');
  expect(stage.logs.some(({ level, taskId }) => level === 'error' && taskId === post.taskId)).toBe(true);
  expect(stage.fake.calls.length).toBeLessThan(1_000);
});

test('a token without a right is tried again until an operator has put it right', async () => {
  stage = await createStage();
  stage.addProcess();
  stage.fake.workspace.scopes.delete('chat:write');
  const post = await stage.ask([
    [0, taskEvents.started],
    [1_000, taskEvents.completed('done')],
  ]);
  await stage.pass(10 * 60_000);
  expect(post.row().finishedAt).toBeNull();
  stage.fake.workspace.scopes.add('chat:write');
  await stage.clock.run(post.finished());
  expectResult(post);
});

test('without the right to read a thread, an answer whose message may exist already is posted all the same', async () => {
  stage = await createStage();
  stage.addProcess();
  stage.fake.faults.loseAnswer('chat.startStream');
  stage.fake.faults.fail('conversations.replies', 'missing_scope', 100);
  const post = await stage.ask(answerScript(wordsOf(50), { pieces: 10, overMs: 20_000 }));
  await stage.clock.run(post.finished());
  const shown = post.answers().map(({ blocks }) => withoutIds(blocks));
  expect(shown).toContainEqual(post.result()[0]?.blocks);
});

test('where Slack takes no streams, the message is posted and changed', async () => {
  stage = await createStage();
  stage.addProcess();
  stage.fake.faults.fail('chat.startStream', 'channel_type_not_supported', 100);
  const post = await stage.ask(answerScript(wordsOf(200), { pieces: 50, overMs: 60_000 }));
  await stage.pass(30_000);
  expect(post.answers()[0]?.shown).toContain('word50');
  await stage.clock.run(post.finished());
  expectResult(post);
  expect(post.answers()).toHaveLength(1);
});

test('blocks that Slack refuses are replaced by the text, and the log has no word of it', async () => {
  stage = await createStage();
  stage.addProcess();
  stage.fake.faults.fail('chat.postMessage', 'invalid_blocks');
  const post = await stage.ask([
    [0, taskEvents.started],
    [1_000, taskEvents.completed('the secret answer')],
  ]);
  await stage.clock.run(post.finished());
  expect(post.answers().map(({ shown }) => shown)).toEqual([expect.stringContaining('the secret answer')]);
  expect(stage.logs.some(({ level }) => level === 'error')).toBe(true);
  expect(JSON.stringify(stage.logs)).not.toContain('secret');
});

test('where Slack refuses the buttons too, the words are shown alone', async () => {
  stage = await createStage();
  stage.addProcess();
  stage.fake.faults.fail('chat.postMessage', 'invalid_blocks', 2);
  const post = await stage.ask([
    [0, taskEvents.started],
    [1_000, taskEvents.completed('the answer')],
  ]);
  await stage.clock.run(post.finished());
  expect(post.answers().map(({ shown }) => shown)).toEqual([expect.stringContaining('the answer')]);
});

test('40 answers at once in one channel keep the limits, and all end', async () => {
  stage = await createStage();
  stage.addProcess();
  const posts: Post[] = [];
  for (let index = 0; index < 40; index++)
    posts.push(await stage.ask(answerScript(wordsOf(100 + index), { pieces: 20, overMs: 60_000 })));
  await stage.clock.run(Promise.all(posts.map((post) => post.finished())));
  for (const post of posts) expectResult(post);
  expect(stage.fake.calls.filter(({ outcome }) => outcome !== 'ok')).toEqual([]);
  const waits = posts.map((post) => (post.row().finishedAt ?? 0) - Number(post.question.ts) * 1_000);
  // 40 calls of `chat.update` fit into a minute.
  expect(Math.max(...waits)).toBeLessThan(3 * 60_000);
});

test('posts of tasks that wait for long give their places to others', async () => {
  stage = await createStage();
  stage.addProcess({ mostPosts: 2 });
  const waiting: Post[] = [];
  for (let index = 0; index < 4; index++)
    waiting.push(
      await stage.ask([
        [0, taskEvents.started],
        [60 * 60_000, taskEvents.completed('late')],
      ]),
    );
  await stage.pass(1_000);
  const post = await stage.ask(answerScript(wordsOf(20), { pieces: 2, overMs: 2_000 }));
  await stage.pass(3 * 60_000);
  expect(post.row().finishedAt).not.toBeNull();
  expectResult(post);
  await stage.clock.run(Promise.all(waiting.map((other) => other.finished())));
  for (const other of waiting) expectResult(other);
});
