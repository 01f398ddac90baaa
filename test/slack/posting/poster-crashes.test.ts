import { afterEach, expect, test } from '@jest/globals';
import { answerScript, createStage, killAt, withoutIds, wordsOf, type Stage, type Tap } from './posting-stage.ts';

let stage: Stage | undefined;
afterEach(() => stage?.close());

type Post = Awaited<ReturnType<Stage['ask']>>;

/** More than any of these answers has. */
const mostSteps = 100;
/** Every call of Slack, and every change of a row. */
const steps = /^(chat|assistant|conversations|auth|claim|save|finish|retry)/;
const rowChanges = /^(claim|save|finish|retry)$/;

/** A stream of four minutes, changes of the message after it, and an end in two messages. */
const text = wordsOf(1_400);
const longAnswer = answerScript(text, { pieces: 6, overMs: 4.5 * 60_000 });
const shortAnswer = (words: number) => answerScript(wordsOf(words), { pieces: 3, overMs: 2_000 });

const shownBy = (posts: Post[]) => posts[0]?.answers().map(({ blocks }) => JSON.stringify(withoutIds(blocks))) ?? [];
const resultsOf = (posts: Post[]) => posts.flatMap((post) => post.result().map(({ blocks }) => JSON.stringify(blocks)));

/** @param thread true: all questions stand in one thread */
async function answer(taps: (Tap | undefined)[], scripts: ReturnType<typeof answerScript>[]) {
  stage = await createStage({ rateLimits: false });
  const first = await stage.ask(scripts[0] ?? []);
  const posts = [first];
  for (const script of scripts.slice(1)) posts.push(await stage.ask(script, { thread: first.threadTs }));
  for (const tap of taps) {
    // They ask for posts seldom: most of a walk's time would go there. The first process gets the posts.
    stage.addProcess({ pollMs: 5_000, ...(tap ? { tap } : {}) });
    await stage.pass(10);
  }
  await stage.clock.run(Promise.all(posts.map((post) => post.finished())));
  // Also what a stalled process does later has no effect.
  await stage.pass(70_000);
  const shown = shownBy(posts);
  const expected = resultsOf(posts);
  const streaming = first.answers().filter((message) => message.streaming === 'in_progress').length;
  await stage.close();
  stage = undefined;
  return { shown, expected, streaming };
}

test.each(['before', 'after'] as const)(
  'a process killed %s any call or change of a row: another one ends the answer, in the same messages',
  async (when) => {
    const killed = [];
    for (let at = 0; at < mostSteps; at++) {
      const kill = killAt(steps, at, when);
      const { shown, expected, streaming } = await answer([kill.tap, undefined], [longAnswer]);
      expect({ at, step: kill.killed(), shown, streaming }).toEqual({
        at,
        step: kill.killed(),
        shown: expected,
        streaming: 0,
      });
      const step = kill.killed();
      if (step === undefined) break;
      killed.push(step);
    }
    for (const step of ['chat.startStream', 'chat.appendStream', 'chat.stopStream', 'chat.update', 'chat.postMessage'])
      expect(killed).toContain(step);
    for (const step of ['assistant.threads.setStatus', 'claim', 'save', 'finish']) expect(killed).toContain(step);
  },
  600_000,
);

test('two processes are killed one after the other, also while they recover', async () => {
  for (let at = 0; at < 24; at += 3)
    for (let next = 0; next < 9; next += 2) {
      const kills = [killAt(steps, at, 'after'), killAt(steps, next + 1, next % 4 === 0 ? 'after' : 'before')];
      const { shown, expected } = await answer([...kills.map(({ tap }) => tap), undefined], [longAnswer]);
      expect({ at, next, shown }).toEqual({ at, next, shown: expected });
    }
}, 600_000);

test.each(['before', 'after'] as const)(
  'two answers in one thread, their process killed %s any step: each ends in its own message',
  async (when) => {
    for (let at = 0; at < mostSteps; at++) {
      const kill = killAt(steps, at, when);
      const { shown, expected } = await answer([kill.tap, undefined], [shortAnswer(20), shortAnswer(30)]);
      expect({ at, step: kill.killed(), shown: shown.sort() }).toEqual({
        at,
        step: kill.killed(),
        shown: expected.sort(),
      });
      if (kill.killed() === undefined) break;
    }
  },
  600_000,
);

test('a process that hangs at any change of a row loses its lease, and shows nothing twice', async () => {
  for (let at = 0; at < mostSteps; at++) {
    let count = 0;
    let isStalled = false;
    const stall: Tap = async (name, act) => {
      if (!rowChanges.test(name) || count++ !== at) return act();
      isStalled = true;
      await new Promise<void>((resolve) => stage?.clock.after(60_000, resolve));
      return act();
    };
    const { shown, expected } = await answer([stall, undefined], [longAnswer]);
    expect({ at, shown }).toEqual({ at, shown: expected });
    if (!isStalled) break;
  }
}, 600_000);

test('two processes die after they have begun streams in one thread: each stream is found by one post', async () => {
  stage = await createStage();
  const first = await stage.ask(shortAnswer(20));
  const posts = [first, await stage.ask(shortAnswer(30), { thread: first.threadTs })];
  const kills = [killAt(/startStream/, 0, 'after'), killAt(/startStream/, 0, 'after')];
  for (const { tap } of kills) stage.addProcess({ tap, mostPosts: 1 });
  await stage.pass(5_000);
  expect(kills.map(({ killed }) => killed())).toEqual(['chat.startStream', 'chat.startStream']);
  for (let index = 0; index < 2; index++) stage.addProcess({ mostPosts: 1 });
  await stage.clock.run(Promise.all(posts.map((post) => post.finished())));
  expect(shownBy(posts).sort()).toEqual(resultsOf(posts).sort());
});

test('several processes at once show each answer once', async () => {
  stage = await createStage();
  for (let index = 0; index < 3; index++) stage.addProcess();
  const posts: Post[] = [];
  for (let index = 0; index < 6; index++)
    posts.push(await stage.ask(answerScript(wordsOf(50 + index), { pieces: 20, overMs: 30_000 })));
  await stage.clock.run(Promise.all(posts.map((post) => post.finished())));
  for (const post of posts) expect(shownBy([post])).toEqual(resultsOf([post]));
});

test('a process that stops gives its posts to another at once', async () => {
  stage = await createStage();
  const first = stage.addProcess();
  const post = await stage.ask(answerScript(wordsOf(200), { pieces: 50, overMs: 60_000 }));
  await stage.pass(10_000);
  await stage.clock.run(first.poster.stop());
  expect(post.row().owner).toBeNull();
  const before = post.answers()[0]?.shown.length ?? 0;
  stage.addProcess();
  await stage.pass(8_000);
  expect(post.answers()[0]?.shown.length).toBeGreaterThan(before);
  await stage.clock.run(post.finished());
  expect(shownBy([post])).toEqual(resultsOf([post]));
});
