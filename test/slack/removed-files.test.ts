import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { documentsQueue } from '../../contract/ids.ts';
import type { Upload } from '../../deploy/slack/fake/people.ts';
import { createAdapters, type Adapters } from '../../wiring/adapters.ts';
import { startWorkers } from '../../workers/compose.ts';
import { until } from '../support/until.ts';
import { createSlackHarness, type SlackHarness } from './slack-harness.ts';

let env: SlackHarness;
let adapters: Adapters;
let workers: Awaited<ReturnType<typeof startWorkers>>;
let team: string;
beforeAll(async () => {
  env = await createSlackHarness({}, { rateLimits: false });
  adapters = createAdapters(env);
  workers = await startWorkers(env, adapters, [documentsQueue]);
  team = env.slack.workspace.id;
});
afterAll(async () => {
  await workers?.stop();
  await adapters?.close();
  await env?.close();
});

let count = 0;
/** A person with direct messages, whose documents are their own. */
function person() {
  const { id } = env.slack.addUser({ name: `person${++count}` });
  const { id: channel } = env.slack.directMessage(id);
  return { id, channel, scope: { tenant: 'local', subject: `slack:${team}:${id}` } };
}
const documentsOf = async (scope: { tenant: string; subject: string }) =>
  (await env.documents.list(scope, { limit: 100 })).documents;
const answer = () => env.script(() => ({ text: ['Done.'] }));
const text = (name: string, content: string): Upload => ({ name, content });
async function processed() {
  await env.slack.settled();
  await env.inboxIsEmpty();
}

test('when the message is deleted, its documents are too, unless another message has them', async () => {
  answer();
  const { id, channel, scope } = person();
  const kept = env.slack.upload(id, channel, text('kept.txt', 'A kiwi.'), { text: 'What is it?' });
  await env.answersIn(channel, kept.ts);
  const gone = env.slack.upload(id, channel, [text('kept.txt', 'A kiwi.'), text('gone.txt', 'A melon.')]);
  await processed();
  expect(await documentsOf(scope)).toHaveLength(2);
  env.slack.remove(id, gone);
  await processed();
  expect((await documentsOf(scope)).map(({ name }) => name.split('/').at(-1))).toEqual(['kept.txt']);
  expect(env.slack.viewAll(channel).at(-1)?.shown).toContain('I have removed the documents');
});

test('a file that is deleted, and not its message, is no document any more', async () => {
  answer();
  const { id, channel, scope } = person();
  const both = [text('plum.txt', 'A plum.'), text('fig.txt', 'A fig.')];
  const { ts, files } = env.slack.upload(id, channel, both, { text: 'What are they?' });
  await env.answersIn(channel, ts);
  expect(await documentsOf(scope)).toHaveLength(2);
  env.slack.deleteFile(id, files[0]!);
  await processed();
  expect((await documentsOf(scope)).map(({ name }) => name.split('/').at(-1))).toEqual(['fig.txt']);
});

test('a deleted message takes its documents with it, also where Slack does not say whose it was', async () => {
  answer();
  const { id, channel, scope } = person();
  const { ts } = env.slack.upload(id, channel, text('pear.txt', 'A pear.'), { text: 'What is it?' });
  await env.answersIn(channel, ts);
  await env.slack.deliver('event', {
    team_id: team,
    type: 'event_callback',
    event_id: `Ev-pear-${ts}`,
    event: { type: 'message', subtype: 'message_deleted', channel, deleted_ts: ts, ts: `${ts}9`, channel_type: 'im' },
  }).first;
  await processed();
  expect(await documentsOf(scope)).toEqual([]);
});

test('a message that is deleted while its file is downloaded becomes no document', async () => {
  answer();
  const { id, channel, scope } = person();
  const first = env.slack.say(id, channel, 'Hello');
  await env.answersIn(channel, first.ts);
  const release = env.slack.faults.blockDownloads();
  const { ts } = env.slack.upload(id, channel, text('nut.txt', 'A nut.'), { text: 'What is it?', thread: first.ts });
  await until('it reads', () => env.slack.status(channel, first.ts)?.includes('is reading nut.txt'));
  // Without the earlier message, Slack names no thread: this is not handled in its order.
  const event = { type: 'message', subtype: 'message_deleted', channel, deleted_ts: ts, ts: `${ts}9` };
  await env.slack.deliver('event', { team_id: team, type: 'event_callback', event_id: `Ev-nut-${ts}`, event }).first;
  await until('the deletion is stored', async () => {
    const { rowCount } = await env.postgres.pool.query('select from slack_removals where ts = $1', [ts]);
    return rowCount === 1;
  });
  release();
  await env.answersIn(channel, first.ts, 2);
  expect(await documentsOf(scope)).toEqual([]);
});
