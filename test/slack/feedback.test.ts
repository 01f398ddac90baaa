import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eraseConversation } from '../../adapters/postgres/conversations/erase-conversation.ts';
import { Question } from '../../cli/eval/questions.ts';
import { actionIds } from '../../slack/rendering/actions.ts';
import { alfred, runAlfred } from '../cli/run-alfred.ts';
import { putDocument } from '../support/documents/put-document.ts';
import { until } from '../support/until.ts';
import { createSlackHarness, type SlackHarness } from './slack-harness.ts';

let env: SlackHarness;
let team: string;
beforeAll(async () => {
  env = await createSlackHarness({}, { rateLimits: false });
  team = env.slack.workspace.id;
  env.useBuiltInTool('search_documents');
  await putDocument(env.postgres.db, 'handbook.txt', 'The granite is grey.', { placement: { readers: ['everyone'] } });
});
afterAll(() => env?.close());

let count = 0;
const person = (more: { kind?: 'guest' } = {}) => env.slack.addUser({ name: `judge${++count}`, ...more });

/** An answer in a channel, to which the first of the people has asked. */
async function answerFor(people: { id: string }[], text = 'Which colour has granite?') {
  env.script((request) =>
    request.messages.at(-1)?.role === 'tool'
      ? { text: ['It is grey [1].'] }
      : { calls: [{ tool: 'search_documents', arguments: { query: 'granite' } }] },
  );
  const { id: channel } = env.slack.addChannel({ name: `opinions${++count}`, members: people });
  const { ts: thread } = env.slack.mention(people[0]!.id, channel, text);
  const [answer] = await env.answersIn(channel, thread);
  return { channel, thread, answer: answer!, ref: { channel, ts: answer!.ts } };
}
async function press(user: { id: string }, ref: { channel: string; ts: string }, choice: 'positive' | 'negative') {
  const { acknowledged } = await env.slack.press(user.id, ref, actionIds.feedback, choice);
  expect(acknowledged).toBe(true);
  await processed();
}
async function processed() {
  await env.slack.settled();
  await env.inboxIsEmpty();
}
const rowsOf = async (thread: string) => {
  const { rows } = await env.postgres.pool.query(
    `select f.user_id, f.subject, f.tenant, f.value, f.comment from slack_feedback f
     join slack_posts p using (task_id) where p.thread_ts = $1 order by f.given_at`,
    [thread],
  );
  return rows as Record<string, string | null>[];
};
const noticesOf = ({ id }: { id: string }, channel: string) => env.noticesIn(channel, id).map(({ shown }) => shown);
const counted = async (value: string) => {
  const { values } = await env.metrics.slackFeedback.get();
  return values.find(({ labels }) => labels.value === value)?.value ?? 0;
};
const audited = async (action: string) =>
  (await env.postgres.pool.query('select from audit_entries where action = $1', [action])).rows.length;
const variables = () => {
  const { DATABASE_URL, DATABASE_DIRECT_URL, TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, ALFRED_DATA_DIR } = env.config;
  const servers = { DATABASE_URL, TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, ALFRED_DATA_DIR, NO_COLOR: '1' };
  return DATABASE_DIRECT_URL === undefined ? servers : { ...servers, DATABASE_DIRECT_URL };
};

test('each person has one opinion of an answer, which another press changes, and reads privately that it is kept', async () => {
  const [anna, bert] = [person(), person()];
  const { channel, thread, answer, ref } = await answerFor([anna, bert]);
  expect(answer.shown).toMatch(/\[Useful\] \[Not useful\]$/);
  const before = await counted('useful');
  await press(anna, ref, 'positive');
  await press(anna, ref, 'positive');
  expect(noticesOf(anna, channel).at(-1)).toContain('Thank you');
  expect(noticesOf(bert, channel)).toEqual([]);
  expect(await rowsOf(thread)).toEqual([
    { user_id: anna.id, subject: `slack:${team}:${anna.id}`, tenant: 'local', value: 'useful', comment: null },
  ]);
  expect(await counted('useful')).toBe(before + 1);
  await press(bert, ref, 'positive');
  await press(anna, ref, 'negative');
  expect((await rowsOf(thread)).map(({ user_id: id, value }) => ({ id, value }))).toEqual([
    { id: bert.id, value: 'useful' },
    { id: anna.id, value: 'not_useful' },
  ]);
});

test('of an answer that is not useful a form takes a comment, which stays until the opinion changes', async () => {
  const anna = person();
  await env.postgres.pool.query(
    "insert into slack_links (team, user_id, tenant, subject) values ($1, $2, 'local', 'anna')",
    [team, anna.id],
  );
  const { channel, thread, ref } = await answerFor([anna]);
  await press(anna, ref, 'negative');
  expect(env.slack.modal(anna.id)?.shown).toContain('What is wrong');
  expect(await rowsOf(thread)).toMatchObject([{ subject: 'anna', value: 'not_useful', comment: null }]);
  await env.slack.submit(anna.id, { comment: 'It is black.' });
  await processed();
  expect(noticesOf(anna, channel).at(-1)).toContain('comment');
  expect(await rowsOf(thread)).toMatchObject([{ value: 'not_useful', comment: 'It is black.' }]);
  await press(anna, ref, 'negative');
  expect(env.slack.modal(anna.id)?.shown).toContain('What is wrong');
  expect(await rowsOf(thread)).toMatchObject([{ comment: 'It is black.' }]);
  await press(anna, ref, 'positive');
  expect(await rowsOf(thread)).toMatchObject([{ value: 'useful', comment: null }]);
});

test('a comment that is handled after a newer press does not take its place', async () => {
  const anna = person();
  const { channel, thread, ref } = await answerFor([anna]);
  await press(anna, ref, 'negative');
  const { rows } = await env.postgres.pool.query('select task_id from slack_posts where thread_ts = $1', [thread]);
  const of = { taskId: rows[0].task_id as string, tenant: 'local', team, userId: anna.id, subject: 'anna' };
  const asked = new Date();
  await press(anna, ref, 'positive');
  // As when the form's delivery was put back meanwhile.
  expect(await env.slackFeedback.give({ ...of, value: 'not_useful', comment: 'It is black.', at: asked })).toEqual({
    comment: null,
    isNew: false,
    isLate: true,
  });
  expect(await rowsOf(thread)).toMatchObject([{ value: 'useful', comment: null }]);
  await press(anna, ref, 'negative');
  expect(await rowsOf(thread)).toMatchObject([{ value: 'not_useful' }]);
  expect(noticesOf(anna, channel).join()).not.toContain('since');
});

test('in a direct message it is kept too, and a guest reads that Alfred does not listen to guests', async () => {
  env.script([{ text: ['Yes.'] }, { text: ['Yes.'] }]);
  const anna = person();
  const { id: direct } = env.slack.directMessage(anna.id);
  const { ts } = env.slack.say(anna.id, direct, 'Is it open?');
  const [answer] = await env.answersIn(direct, ts);
  await press(anna, { channel: direct, ts: answer!.ts }, 'positive');
  expect(await rowsOf(ts)).toMatchObject([{ user_id: anna.id, value: 'useful' }]);
  const guest = person({ kind: 'guest' });
  const { channel, thread, ref } = await answerFor([anna, guest]);
  await press(guest, ref, 'positive');
  expect(noticesOf(guest, channel).at(-1)).toContain('does not answer guests');
  expect(await rowsOf(thread)).toEqual([]);
});

test('of an answer for another tenant, which the workspace had before, nothing is kept', async () => {
  const anna = person();
  const { channel, thread, ref } = await answerFor([anna]);
  await env.postgres.pool.query("update slack_posts set tenant = 'before' where thread_ts = $1", [thread]);
  await env.postgres.pool.query(
    "update tasks set tenant = 'before' where id = (select task_id from slack_posts where thread_ts = $1)",
    [thread],
  );
  await press(anna, ref, 'positive');
  expect(noticesOf(anna, channel).at(-1)).toContain('I do not know this message any more');
  expect(await rowsOf(thread)).toEqual([]);
});

test('is gone with the conversation, and is not kept after that', async () => {
  const anna = person();
  const { channel, thread, ref } = await answerFor([anna]);
  await press(anna, ref, 'positive');
  const { rows } = await env.postgres.pool.query(
    'select tenant, subject, conversation_id from slack_threads where thread_ts = $1',
    [thread],
  );
  const { tenant, subject, conversation_id: conversationId } = rows[0];
  const deleted = await env.conversationRows.markDeleted({ tenant, subject }, conversationId);
  await eraseConversation(env.postgres.db, deleted!);
  expect(await rowsOf(thread)).toEqual([]);
  await press(anna, ref, 'negative');
  expect(noticesOf(anna, channel).at(-1)).toContain('deleted');
  expect(await rowsOf(thread)).toEqual([]);
});

test('alfred slack feedback prints it for operators, as questions for an evaluation', async () => {
  const [anna, bert] = [person(), person()];
  const { channel, thread, ref } = await answerFor([anna, bert]);
  env.slack.say(anna.id, channel, 'And which colour has it in rain?', thread);
  const [, second] = await env.answersIn(channel, thread, 2);
  await press(anna, ref, 'positive');
  await press(bert, { channel, ts: second!.ts }, 'negative');
  await env.slack.submit(bert.id, { comment: 'It is darker.' });
  await processed();
  await until('the log has begun', async () => (await audited('message.send')) > 0);
  const { code, stdout, stderr } = await alfred(['slack', 'feedback', '--jsonl'], variables());
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const ofThread = lines.filter(({ subject }) => [anna, bert].some(({ id }) => subject === `slack:${team}:${id}`));
  expect(ofThread).toMatchObject([
    {
      question: 'Which colour has granite?',
      group: 'answerable',
      documents: ['handbook.txt'],
      answer: 'It is grey [1].',
      value: 'useful',
      comment: null,
      agent: 'knowledge',
    },
    { history: ['Which colour has granite?'], value: 'not_useful', comment: 'It is darker.' },
  ]);
  expect(ofThread[1]).not.toHaveProperty('group');
  expect(Question.parse(ofThread[0])).toMatchObject({ group: 'answerable', documents: ['handbook.txt'] });
  const ofOthers = await alfred(['slack', 'feedback', '--tenant', 'acme'], variables());
  expect(ofOthers).toMatchObject({ code: 0, stdout: '', stderr: expect.stringContaining('No feedback') });
  expect(await audited('feedback.read')).toBe(2);
});

test('a reader that closes the pipe early is in the audit log too', async () => {
  const anna = person();
  const { ref } = await answerFor([anna]);
  await press(anna, ref, 'positive');
  await until('the log has begun', async () => (await audited('message.send')) > 0);
  const before = await audited('feedback.read');
  const { child, done } = runAlfred(['slack', 'feedback', '--jsonl'], variables());
  child.stdout.destroy();
  expect(await done).toMatchObject({ code: 0, stdout: '' });
  expect(await audited('feedback.read')).toBe(before + 1);
});

test('a press after the form has expired is kept all the same', async () => {
  const anna = person();
  const { channel, thread, ref } = await answerFor([anna]);
  const { delivery } = await env.slack.press(anna.id, ref, actionIds.feedback, 'negative');
  await until('the form', () => env.slack.modal(anna.id));
  await env.slack.close(anna.id);
  await env.slack.deliver('interactive', { ...delivery.payload, trigger_id: 'expired' }).first;
  await processed();
  expect(noticesOf(anna, channel).at(-1)).toContain('To say why, press again');
  expect(await rowsOf(thread)).toMatchObject([{ value: 'not_useful' }]);
});
