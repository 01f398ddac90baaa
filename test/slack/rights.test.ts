import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { ModelRequest } from '../../contract/ports/index.ts';
import { putDocument } from '../support/documents/put-document.ts';
import { createSlackHarness, type SlackHarness } from './slack-harness.ts';

let env: SlackHarness;
let team: string;
const people = {} as Record<'anna' | 'bert', { id: string; channel: string }>;
let channel: string;
let privateChannel: string;
beforeAll(async () => {
  env = await createSlackHarness({}, { rateLimits: false });
  env.useBuiltInTool('search_documents');
  team = env.slack.workspace.id;
  for (const name of ['anna', 'bert'] as const) {
    const { id } = env.slack.addUser({ name });
    people[name] = { id, channel: env.slack.directMessage(id).id };
  }
  const members = [people.anna, people.bert];
  channel = env.slack.addChannel({ name: 'general', members }).id;
  privateChannel = env.slack.addChannel({ name: 'board', kind: 'private', members }).id;
  const { db, put } = { db: env.postgres.db, put: putDocument };
  const ofSlack = (id: string) => ({ tenant: 'local', subject: `slack:${team}:${id}` });
  await put(db, 'handbook.txt', 'The granite in the lobby is grey.', { placement: { readers: ['everyone'] } });
  const ownerOnly = { placement: { readers: [] } };
  await put(db, 'diary.txt', 'Granite: Anna hides her ZIRCON ring.', { scope: ofSlack(people.anna.id), ...ownerOnly });
  await put(db, 'minutes.txt', 'Granite: the board buys a QUARRY.', { scope: ofSlack(privateChannel), ...ownerOnly });
  await put(db, 'payroll.txt', 'Granite: the masons earn 4,711 BUCKS.', { placement: { readers: ['group:payroll'] } });
});
afterAll(() => env?.close());

type Words = { query?: string; answer?: string };

/** Asks, with a search, and returns all that comes of it. */
async function ask(userId: string, place: string, { query = 'granite', answer = 'Done.' }: Words = {}) {
  const requests = env.script((request) =>
    request.messages.at(-1)?.role === 'tool'
      ? { text: [answer] }
      : { calls: [{ tool: 'search_documents', arguments: { query } }] },
  );
  const before = env.slack.calls.length;
  const isDirect = place.startsWith('D');
  const text = `What about ${query}?`;
  const { ts } = isDirect ? env.slack.say(userId, place, text) : env.slack.mention(userId, place, text);
  const answers = await env.answersIn(place, ts);
  const { rows } = await env.postgres.pool.query('select task_id, subject from slack_posts where thread_ts = $1', [ts]);
  const events = await env.events.read({ tenant: 'local', subject: rows[0].subject }, rows[0].task_id, 0, 100);
  return {
    /** What the model got to read of documents. */
    outputs: requests.flatMap(outputsIn),
    /** What is shown of the search while Alfred works. */
    steps: events.flatMap((event) => (event.type === 'tool.completed' ? [event.data.summary] : [])),
    /** Everything that Slack was sent meanwhile, and what stands there: statuses and earlier texts too. */
    sent: JSON.stringify([env.slack.calls.slice(before).map(({ args }) => args), env.slack.view(place, ts)]),
    /** Without the time that it took, and the id of its task. */
    shown: answers.map(({ shown }) =>
      shown.replace(/\d[\d.]* m?s\b/g, 'some time').replace(/\/workflows\/[^|>]+/, '/workflows/id'),
    ),
  };
}
const outputsIn = ({ messages }: ModelRequest) =>
  messages.flatMap((message) => (message.role === 'tool' ? message.results.map(({ output }) => output) : []));

const marks = /grey|ZIRCON|QUARRY|BUCKS|diary|minutes|payroll/g;
const marksIn = (text: string) => [...new Set([...text.matchAll(marks)].map(([mark]) => mark))].toSorted();

/** Asks about granite. @returns the marks of the documents that the model got to read */
async function readFor(userId: string, place: string): Promise<string[]> {
  const { outputs, sent } = await ask(userId, place);
  const read = marksIn(JSON.stringify(outputs));
  // What the model does not get must not come by another way either: sources under the answer, counts, names.
  expect(read).toEqual(expect.arrayContaining(marksIn(sent)));
  return read;
}

test('in a direct message a person finds its own documents and those of everyone', async () => {
  expect(await readFor(people.anna.id, people.anna.channel)).toEqual(['ZIRCON', 'diary', 'grey']);
});

test('the direct message of another person finds no trace of them', async () => {
  expect(await readFor(people.bert.id, people.bert.channel)).toEqual(['grey']);
});

test('a channel finds no trace of the documents of the person who asks there', async () => {
  expect(await readFor(people.anna.id, channel)).toEqual(['grey']);
});

test('a channel finds its own documents, for each of its members, and no other place finds them', async () => {
  expect(await readFor(people.bert.id, privateChannel)).toEqual(['QUARRY', 'grey', 'minutes']);
  expect(await readFor(people.bert.id, channel)).toEqual(['grey']);
  expect(await readFor(people.bert.id, people.bert.channel)).toEqual(['grey']);
});

test('a linked person reads with its groups in a direct message, and not in a channel', async () => {
  const query = (text: string, ...values: unknown[]) => env.postgres.pool.query(text, values);
  await query(
    "insert into slack_links (team, user_id, tenant, subject) values ($1, $2, 'local', 'b')",
    team,
    people.bert.id,
  );
  await query("insert into group_members (tenant, subject, group_name) values ('local', 'b', 'payroll')");
  expect(await readFor(people.bert.id, people.bert.channel)).toEqual(['BUCKS', 'grey', 'payroll']);
  expect(await readFor(people.bert.id, channel)).toEqual(['grey']);
  await query("delete from group_members where subject = 'b'");
  expect(await readFor(people.bert.id, people.bert.channel)).toEqual(['grey']);
});

test('steps count what the place may read, and no other source is named, also when the model claims one', async () => {
  const answer = 'It is grey [1], and there is more [2] [3].';
  for (const place of [people.bert.channel, channel]) {
    const { steps, sent, shown } = await ask(people.bert.id, place, { answer });
    // Alfred has a claim of a source that is not there corrected: the model searches again.
    expect(new Set(steps)).toEqual(new Set(['1 passage found for “granite”']));
    expect(shown.join()).toContain('handbook');
    expect(marksIn(sent)).toEqual(['grey']);
  }
});

test('a document that the place may not read changes nothing: not the text, the sources, the counts or the steps', async () => {
  const { db } = env.postgres;
  await putDocument(db, 'roof.txt', 'The roof is of slate.', { placement: { readers: ['everyone'] } });
  const places = [people.bert.channel, channel];
  const askAll = async () => {
    const traces = [];
    for (const place of places)
      traces.push(await ask(people.bert.id, place, { query: 'slate', answer: 'It is slate [1].' }));
    return traces.map(({ outputs, steps, shown }) => ({ outputs, steps, shown }));
  };
  const before = await askAll();
  expect(before).toMatchObject([{ steps: [expect.stringMatching(/^1 passage found/)] }, {}]);
  const scope = { tenant: 'local', subject: `slack:${team}:${people.anna.id}` };
  await putDocument(db, 'offer.txt', 'Slate: Anna has an OFFER.', { scope, placement: { readers: [] } });
  // It is in the index now.
  const { outputs } = await ask(people.anna.id, people.anna.channel, { query: 'slate' });
  expect(JSON.stringify(outputs)).toContain('OFFER');
  expect(await askAll()).toEqual(before);
});

test('a file that a task made is uploaded to its thread alone, and a repeat of the answer uploads none', async () => {
  const content = 'n,square\n2,4\n';
  env.tool('search_documents', async () => ({
    output: {},
    summary: 'made squares.csv',
    artifacts: [{ name: 'squares.csv', mediaType: 'text/csv', bytes: Buffer.from(content) }],
  }));
  env.script((request) =>
    request.messages.at(-1)?.role === 'tool'
      ? { text: ['The list is in squares.csv.'] }
      : { calls: [{ tool: 'search_documents', arguments: { query: 'squares' } }] },
  );
  const { ts } = env.slack.mention(people.anna.id, privateChannel, 'Write the squares to a file');
  const [answer] = await env.answersIn(privateChannel, ts);
  const filesIn = () => env.slack.view(privateChannel, ts).flatMap(({ files }) => files);
  expect(filesIn()).toEqual(['squares.csv']);
  expect(answer?.shown).not.toContain(':page_facing_up:');
  const upload = env.slack.calls.find(({ method }) => method === 'files.getUploadURLExternal');
  const file = env.slack.file(String(upload?.response['file_id']));
  expect(file?.content.toString()).toBe(content);
  expect([...(file?.channels ?? [])]).toEqual([privateChannel]);
  const { rows } = await env.postgres.pool.query('select task_id, files from slack_posts where thread_ts = $1', [ts]);
  expect(rows[0].files).toMatchObject([{ state: 'shared', slackId: file?.id }]);
  await env.slackPosts.showAgain(rows[0].task_id);
  await env.answersIn(privateChannel, ts);
  expect(filesIn()).toEqual(['squares.csv']);
});
