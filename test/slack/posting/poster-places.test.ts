import { afterEach, expect, test } from '@jest/globals';
import {
  answerScript,
  createStage,
  taskEvents,
  withoutIds,
  wordsOf,
  type Script,
  type Stage,
} from './posting-stage.ts';

let stage: Stage;
afterEach(() => stage.close());

type Post = Awaited<ReturnType<Stage['ask']>>;

const hourMs = 60 * 60_000;
const shortAnswer = answerScript(wordsOf(20), { pieces: 2, overMs: 2_000 });
const notBegun: Script = [[hourMs, taskEvents.completed('late')]];
const waiting: Script = [
  [0, taskEvents.started],
  [100, { type: 'task.waiting', data: { reason: 'outage', message: 'The model does not answer.' } }],
  [hourMs, taskEvents.completed('late')],
];

async function askMany(count: number, script: Script): Promise<Post[]> {
  const posts: Post[] = [];
  for (let index = 0; index < count; index++) posts.push(await stage.ask(script));
  return posts;
}
const expectResult = (post: Post) =>
  expect(post.answers().map(({ blocks }) => withoutIds(blocks))).toEqual(post.result().map(({ blocks }) => blocks));

test.each([
  ['have not begun', notBegun],
  ['wait', waiting],
])('a new question is answered at once, whatever number of tasks %s', async (_, script) => {
  stage = await createStage({ rateLimits: false });
  stage.addProcess({ mostPosts: 4 });
  const others = await askMany(40, script);
  await stage.pass(5 * 60_000);
  const post = await stage.ask(shortAnswer);
  await stage.pass(20_000);
  expect(post.row().finishedAt).not.toBeNull();
  expectResult(post);
  await stage.clock.run(Promise.all(others.map((other) => other.finished())));
  for (const other of others) expectResult(other);
});

test('a post whose answer comes keeps its place while others have one of their own', async () => {
  stage = await createStage();
  stage.addProcess({ mostPosts: 4 });
  const writing = await stage.ask(answerScript(wordsOf(20), { pieces: 2, overMs: 3 * 60_000 }));
  await askMany(2, notBegun);
  await stage.pass(2 * 60_000);
  expect(writing.row().attempts).toBe(1);
});

test('posts of another process are no reason to give a place away', async () => {
  stage = await createStage();
  stage.addProcess({ mostPosts: 2 });
  const mine = await askMany(2, notBegun);
  await stage.pass(1_000);
  stage.addProcess({ mostPosts: 2 });
  const others = await askMany(2, notBegun);
  await stage.pass(5 * 60_000);
  expect([...mine, ...others].map((post) => post.row().attempts)).toEqual([1, 1, 1, 1]);
});

test('tasks that wait and give their places to each other are not shown again and again', async () => {
  stage = await createStage({ rateLimits: false });
  stage.addProcess({ mostPosts: 2 });
  const posts = await askMany(6, waiting);
  await stage.pass(3 * 60_000);
  for (const post of posts) expect(post.answers()[0]?.shown).toContain('The model does not answer.');
  const changes = () => stage.fake.calls.filter(({ method }) => method.startsWith('chat.')).length;
  const before = changes();
  await stage.pass(10 * 60_000);
  expect(Math.min(...posts.map((post) => post.row().attempts))).toBeGreaterThan(3);
  expect(changes()).toBe(before);
  await stage.clock.run(Promise.all(posts.map((post) => post.finished())));
  for (const post of posts) expectResult(post);
});

test('a process whose token is of another workspace leaves the posts alone', async () => {
  stage = await createStage();
  stage.addProcess({ team: 'T0OTHER' });
  const post = await stage.ask(shortAnswer);
  await stage.pass(60_000);
  expect(post.row()).toMatchObject({ attempts: 0, finishedAt: null });
  stage.addProcess();
  await stage.clock.run(post.finished());
  expectResult(post);
});

test('an answer of another tenant than the workspace has now is not shown, and not tried again', async () => {
  stage = await createStage({ rateLimits: false });
  stage.addProcess({ tenant: 'another' });
  const post = await stage.ask(shortAnswer);
  await stage.clock.run(post.finished());
  expect(post.answers()).toEqual([]);
  expect(stage.counted).toContain('ended closed');
});
