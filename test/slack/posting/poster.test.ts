import { afterEach, expect, test } from '@jest/globals';
import { answerScript, createStage, markdownOf, taskEvents, withoutIds, wordsOf, type Stage } from './posting-stage.ts';

let stage: Stage;
afterEach(() => stage.close());

type Post = Awaited<ReturnType<Stage['ask']>>;

const expectResult = (post: Post) => {
  expect(post.answers().map(({ blocks }) => withoutIds(blocks))).toEqual(post.result().map(({ blocks }) => blocks));
  expect(post.answers().every(({ streaming }) => streaming !== 'in_progress')).toBe(true);
};

const methodsOf = ({ fake }: Stage) => fake.calls.map(({ method }) => method);
const refusedOf = ({ fake }: Stage) => fake.calls.filter(({ outcome }) => outcome !== 'ok');

/** What a person saw of the text, oldest first. */
function textsSeen(post: Post) {
  return (post.answers()[0]?.versions ?? []).map(({ shown }) => shown.split('\n')[0] ?? '');
}

test('an answer of a minute is streamed into one message, which ends as the result', async () => {
  stage = await createStage();
  const text = wordsOf(400);
  stage.addProcess();
  const post = await stage.ask(answerScript(text, { pieces: 100, overMs: 60_000 }));
  await stage.clock.run(post.finished());
  expectResult(post);
  expect(post.answers()).toHaveLength(1);
  expect(markdownOf(post.answers()[0]?.blocks ?? [])).toBe(text);
  expect(methodsOf(stage).filter((method) => method === 'chat.startStream')).toHaveLength(1);
  expect(refusedOf(stage)).toEqual([]);
});

test('a status is shown at once, is renewed while nothing else is shown, and is gone at the end', async () => {
  stage = await createStage();
  stage.addProcess();
  const post = await stage.ask([
    [0, taskEvents.queued],
    [100, taskEvents.started],
    [5 * 60_000, taskEvents.completed('done')],
  ]);
  await stage.pass(1_000);
  expect(stage.fake.status(stage.channel, post.threadTs)).toBe('is thinking …');
  for (let minute = 0; minute < 4; minute++) {
    await stage.pass(60_000);
    expect(stage.fake.status(stage.channel, post.threadTs)).toBe('is thinking …');
  }
  await stage.clock.run(post.finished());
  expect(stage.fake.status(stage.channel, post.threadTs) ?? '').toBe('');
  expectResult(post);
});

test('an answer of 20 minutes outlives its stream with no character lost or repeated', async () => {
  stage = await createStage();
  const text = wordsOf(1_000);
  stage.addProcess();
  const post = await stage.ask(answerScript(text, { pieces: 400, overMs: 20 * 60_000 }));
  await stage.clock.run(post.finished());
  expectResult(post);
  const seen = textsSeen(post);
  expect(seen.length).toBeGreaterThan(200);
  for (const [index, shown] of seen.entries()) {
    expect(text.startsWith(shown)).toBe(true);
    expect(shown.length).toBeGreaterThanOrEqual(seen[index - 1]?.length ?? 0);
  }
  expect(seen.at(-1)).toBe(text);
  expect(stage.counted.filter((line) => line.startsWith('rotated'))).toEqual(['rotated age']);
  expect(refusedOf(stage)).toEqual([]);
});

test('Slack ends the stream early: the message goes on', async () => {
  stage = await createStage();
  const text = wordsOf(300);
  stage.addProcess();
  const post = await stage.ask(answerScript(text, { pieces: 100, overMs: 60_000 }));
  await stage.pass(20_000);
  stage.fake.faults.fail('chat.appendStream', 'message_not_in_streaming_state');
  stage.fake.faults.fail('chat.stopStream', 'message_not_in_streaming_state');
  const message = stage.channel.messages.find(({ ts }) => ts === post.answers()[0]?.ts);
  if (message?.stream) message.stream.state = 'errored';
  await stage.clock.run(post.finished());
  expectResult(post);
  expect(stage.counted).toContain('rotated ended_by_slack');
});

test('text of an attempt that failed is replaced by that of the next attempt', async () => {
  stage = await createStage();
  stage.addProcess();
  const post = await stage.ask([
    [0, taskEvents.started],
    [100, taskEvents.step(1)],
    [200, taskEvents.text('wrong words that are void later')],
    [10_000, taskEvents.step(1, 2)],
    [10_100, taskEvents.text('right words', 1, 2)],
    [30_000, taskEvents.completed('right words, complete')],
  ]);
  await stage.pass(5_000);
  expect(post.answers()[0]?.shown).toContain('wrong words');
  await stage.pass(15_000);
  expect(post.answers()[0]?.shown).toContain('right words');
  expect(post.answers()[0]?.shown).not.toContain('wrong words');
  await stage.clock.run(post.finished());
  expectResult(post);
  expect(post.answers()).toHaveLength(1);
});

test('the text of an earlier step stays in the stream while a tool runs and the next step writes', async () => {
  stage = await createStage();
  stage.addProcess();
  const call = { step: 1, callId: 'c1', tool: 'search_documents' };
  const post = await stage.ask([
    [0, taskEvents.started],
    [100, taskEvents.step(1)],
    [200, taskEvents.text('Let me search.')],
    [2_000, taskEvents.stepDone(1)],
    [2_100, { type: 'tool.started', data: { ...call, arguments: { query: 'holidays' } } }],
    [4_000, { type: 'tool.completed', data: { ...call, isError: false, summary: '3 passages', durationMs: 10 } }],
    [4_100, taskEvents.step(2)],
    [4_200, taskEvents.text('There are 30 days.', 2)],
    [9_000, taskEvents.stepDone(2)],
    [9_100, taskEvents.completed('There are 30 days.')],
  ]);
  await stage.pass(8_000);
  const shown = post.answers()[0]?.shown ?? '';
  expect(shown).toContain('Let me search.');
  expect(shown).toContain('holidays');
  expect(shown).toContain('There are 30 days.');
  expect(post.answers()[0]?.streaming).toBe('in_progress');
  await stage.clock.run(post.finished());
  expectResult(post);
  expect(stage.counted.filter((line) => line.startsWith('rotated'))).toEqual([]);
});

test('an answer of 30,000 characters with tables and code is posted in parts that Slack takes', async () => {
  stage = await createStage();
  const table = Array.from({ length: 60 }, (_, row) => `| ${row} | item ${row} | ${row * 17} EUR |`).join('\n');
  const code = Array.from({ length: 80 }, (_, line) => `const value${line} = ${line};`).join('\n');
  const sections = Array.from(
    { length: 8 },
    (_, index) =>
      `## Part ${index}\n\n${wordsOf(80)}\n\n| n | name | price |\n|---|---|---|\n${table}\n\n\`\`\`ts\n${code}\n\`\`\``,
  );
  const text = sections.join('\n\n');
  stage.addProcess();
  const post = await stage.ask(answerScript(text, { pieces: 200, overMs: 3 * 60_000 }));
  await stage.clock.run(post.finished());
  expectResult(post);
  expect(text.length).toBeGreaterThan(29_000);
  expect(post.answers().length).toBeGreaterThan(2);
  expect(stage.counted).toContain('rotated length');
  expect(refusedOf(stage)).toEqual([]);
  expect(stage.logs).toEqual([]);
});

test('a task that failed says why, in a message of its own when nothing was shown before', async () => {
  stage = await createStage();
  stage.addProcess();
  const post = await stage.ask([
    [0, taskEvents.queued],
    [500, taskEvents.failed('The model refused the request.')],
  ]);
  await stage.clock.run(post.finished());
  expectResult(post);
  expect(post.answers()[0]?.shown).toContain('The model refused the request.');
});

test('the stop of a person is shown within two seconds, and the status is gone', async () => {
  stage = await createStage();
  stage.addProcess();
  const post = await stage.ask([
    [0, taskEvents.started],
    [100, taskEvents.step(1)],
    [200, taskEvents.text('The beginning of an answer')],
    [60_000, taskEvents.cancelled('Stopped in Slack')],
  ]);
  await stage.pass(30_000);
  expect(post.answers()[0]?.streaming).toBe('in_progress');
  await stage.pass(30_000 + 2_000);
  expect(post.row().finishedAt).not.toBeNull();
  expect(stage.fake.status(stage.channel, post.threadTs) ?? '').toBe('');
  expectResult(post);
});

test('after the stop button of Slack the message still shows the end', async () => {
  stage = await createStage();
  stage.addProcess();
  const post = await stage.ask(answerScript(wordsOf(300), { pieces: 100, overMs: 60_000 }));
  await stage.pass(20_000);
  const message = stage.channel.messages.find(({ ts }) => ts === post.answers()[0]?.ts);
  if (message?.stream) Object.assign(message.stream, { state: 'completed', stoppedByUser: true });
  await stage.clock.run(post.finished());
  expectResult(post);
});

test('in a direct message the answer is streamed too', async () => {
  stage = await createStage({ direct: true });
  stage.addProcess();
  const post = await stage.ask(answerScript(wordsOf(50), { pieces: 10, overMs: 5_000 }));
  await stage.clock.run(post.finished());
  expectResult(post);
  expect(methodsOf(stage)).toContain('chat.startStream');
});

test('a task that is erased leaves no text of it in Slack', async () => {
  stage = await createStage();
  stage.addProcess();
  const post = await stage.ask([
    [0, taskEvents.started],
    [100, taskEvents.step(1)],
    [200, taskEvents.text('a secret')],
  ]);
  await stage.pass(5_000);
  expect(post.answers()[0]?.shown).toContain('a secret');
  stage.erase(post.taskId);
  stage.append(post.taskId, taskEvents.queued);
  await stage.clock.run(post.finished());
  expect(post.answers().map(({ shown }) => shown)).toEqual(['This question and its answer were deleted in Alfred.']);
});

test.each([
  ['passed_over', 'a later message came before its turn'],
  ['rolled_back', 'a later message took it out of the conversation'],
  ['dropped', 'it was stopped before its turn'],
] as const)('a question that got no turn says why: %s', async (state, reason) => {
  stage = await createStage();
  stage.addProcess();
  const post = await stage.ask([]);
  await stage.pass(60_000);
  expect(post.answers()).toEqual([]);
  stage.states.set(post.taskId, state);
  stage.erase(post.taskId);
  await stage.clock.run(post.finished());
  expect(post.answers().map(({ shown }) => shown)).toEqual([expect.stringContaining(reason)]);
});

test('nothing is shown for the task of a message that the running task has read', async () => {
  stage = await createStage();
  stage.addProcess();
  const post = await stage.ask([]);
  await stage.pass(10_000);
  stage.states.set(post.taskId, 'steered');
  stage.erase(post.taskId);
  await stage.clock.run(post.finished());
  expect(post.answers()).toEqual([]);
});

test('a process that takes an answer over shows nothing older than what was shown', async () => {
  stage = await createStage();
  const text = wordsOf(400);
  const first = stage.addProcess();
  const post = await stage.ask(answerScript(text, { pieces: 100, overMs: 10 * 60_000 }));
  await stage.pass(6 * 60_000);
  await stage.clock.run(first.poster.stop());
  stage.addProcess({ readMs: 5_000 });
  await stage.clock.run(post.finished());
  expectResult(post);
  const seen = textsSeen(post);
  for (const [index, shown] of seen.entries()) {
    expect(text.startsWith(shown)).toBe(true);
    expect(shown.length).toBeGreaterThanOrEqual(seen[index - 1]?.length ?? 0);
  }
});
