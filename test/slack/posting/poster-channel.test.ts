import { randomUUID } from 'node:crypto';
import { afterEach, expect, test } from '@jest/globals';
import { createStage, killAt, markdownOf, taskEvents, wordsOf, type Stage } from './posting-stage.ts';

let stage: Stage;
afterEach(() => stage.close());

/** Three messages. */
const answer = wordsOf(2_500);

/** A task that has ended, whose answer belongs into the channel itself. */
async function postResult(text = answer, channel = stage.channel) {
  const taskId = randomUUID();
  for (const event of [taskEvents.queued, taskEvents.started, taskEvents.step(1), taskEvents.stepDone(1)])
    stage.append(taskId, event);
  stage.append(taskId, taskEvents.completed(text));
  await stage.posts.create({
    id: randomUUID(),
    team: stage.fake.workspace.id,
    channel: channel.id,
    threadTs: '',
    tenant: 'local',
    subject: 'ann',
    taskId,
    agent: 'assistant',
    userId: '',
    questionTs: String(Math.trunc(stage.clock.now() / 1_000) - 600),
  });
}

const inChannel = () => stage.fake.view(stage.channel).filter(({ fromApp }) => fromApp);
/** An answer with what goes on in its thread. */
const inThread = ({ ts }: { ts: string }) => stage.fake.view(stage.channel, ts);
const textIn = (root: { ts: string }) =>
  inThread(root)
    .map(({ blocks }) => markdownOf(blocks).trim())
    .join(' ');
const shown = () => inChannel().map(textIn).join(' ');
async function finished() {
  while ((await stage.posts.depth()) > 0) await stage.pass(1_000);
}

test('an answer without a question stands in its channel when it is complete, with no status and no stream', async () => {
  stage = await createStage();
  stage.addProcess();
  await postResult();
  await finished();
  expect(inChannel()).toHaveLength(1);
  const parts = inChannel().flatMap(inThread);
  expect(parts).toHaveLength(3);
  expect(shown()).toBe(answer);
  expect(parts.every(({ versions }) => versions.length === 1)).toBe(true);
  expect(new Set(stage.counted)).toEqual(new Set(['conversations.info ok', 'chat.postMessage ok', 'ended shown']));
});

test.each(['before', 'after'] as const)(
  'a process killed %s any call or change of a row: another one posts the rest, and nothing twice',
  async (when) => {
    const killed: (string | undefined)[] = [];
    for (let at = 0; at < 40; at++) {
      stage = await createStage({ rateLimits: false });
      const kill = killAt(/^(chat|assistant|conversations|auth|claim|save|finish|retry)/, at, when);
      await postResult();
      stage.addProcess({ tap: kill.tap });
      await stage.pass(10);
      stage.addProcess({ pollMs: 5_000 });
      await finished();
      expect({ at, step: kill.killed(), shown: shown() }).toEqual({ at, step: kill.killed(), shown: answer });
      expect(inChannel().map((root) => inThread(root).length)).toEqual([3]);
      killed.push(kill.killed());
      if (kill.killed() === undefined) break;
      await stage.close();
    }
    expect(killed).toEqual(expect.arrayContaining(['chat.postMessage', 'save', 'finish', undefined]));
  },
);

test('while the channel takes nothing the answer waits, and after a day it is given up', async () => {
  stage = await createStage();
  stage.fake.archive(stage.channel);
  stage.addProcess();
  await postResult('Late.');
  await stage.pass(60_000);
  expect(await stage.posts.depth()).toBe(1);
  const { channel } = stage;
  channel.archived = false;
  await stage.pass(10 * 60_000);
  expect(shown()).toBe('Late.');
  stage.fake.archive(channel);
  await postResult('Never.');
  await stage.pass(26 * 60 * 60_000);
  expect(await stage.posts.depth()).toBe(0);
  expect(stage.counted).toContain('ended given_up');
  expect(shown()).toBe('Late.');
});

test('two long answers at once do not mix: each goes on in the thread of its first message', async () => {
  stage = await createStage();
  stage.addProcess();
  const other = answer.replaceAll('word', 'term');
  await Promise.all([postResult(), postResult(other)]);
  await finished();
  expect(inChannel().map(textIn).sort()).toEqual([other, answer]);
});

test('many answers for a channel that takes none do not delay others, and cost few calls', async () => {
  stage = await createStage();
  const archived = stage.fake.addChannel({ name: 'archived' });
  stage.fake.archive(archived);
  stage.addProcess({ mostPosts: 2 });
  for (let n = 0; n < 30; n++) await postResult('Never.', archived);
  await postResult('In time.');
  await stage.pass(10_000);
  expect(shown()).toBe('In time.');
  await stage.pass(60 * 60_000);
  const calls = stage.fake.calls.filter(
    ({ method, args }) => method === 'chat.postMessage' && args['channel'] === archived.id,
  );
  expect(calls.length).toBeLessThan(150);
  archived.archived = false;
  await finished();
  expect(stage.fake.view(archived)).toHaveLength(30);
});

test('an answer that a person waits for goes before one that no one has asked for', async () => {
  stage = await createStage({ rateLimits: false });
  const { slack } = stage.addProcess();
  const asked: { method: string; isUrgent: boolean | undefined }[] = [];
  const call = slack.call.bind(slack);
  slack.call = async (made) => {
    asked.push({ method: made.method, isUrgent: made.isUrgent });
    return call(made);
  };
  await postResult('In its time.');
  await finished();
  const urgencyOf = (method: string) => asked.filter((made) => made.method === method).map(({ isUrgent }) => isUrgent);
  expect(urgencyOf('chat.postMessage')).toEqual([false]);
  const post = await stage.ask([
    [0, taskEvents.started],
    [1_000, taskEvents.completed('At once.')],
  ]);
  await stage.clock.run(post.finished());
  expect(urgencyOf('chat.postMessage').at(-1)).toBe(true);
});

test('the timestamps of earlier answers in the channel are not read', async () => {
  stage = await createStage();
  const { posts } = stage;
  const asked: unknown[] = [];
  const ownedTs = posts.ownedTs.bind(posts);
  posts.ownedTs = async (place) => {
    asked.push(place);
    return ownedTs(place);
  };
  stage.addProcess();
  await postResult();
  await finished();
  expect(asked).toEqual([]);
});

test('in a channel that is shared with another organisation nothing is posted, and the log says why', async () => {
  stage = await createStage();
  stage.channel.external = true;
  stage.addProcess({ pollMs: 10_000 });
  await postResult('The plan.');
  await stage.pass(26 * 60 * 60_000);
  expect(await stage.posts.depth()).toBe(0);
  expect(inChannel()).toEqual([]);
  expect(stage.logs).toContainEqual(expect.objectContaining({ level: 'error', code: 'channel_shared' }));
  expect(stage.counted.filter((line) => line.startsWith('chat.'))).toEqual([]);
});
