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

/** Asks, with a search for granite, and returns what the model got to read of documents. */
async function readFor(userId: string, place: string): Promise<string[]> {
  const requests = env.script((request) =>
    request.messages.at(-1)?.role === 'tool'
      ? { text: ['Done.'] }
      : { calls: [{ tool: 'search_documents', arguments: { query: 'granite' } }] },
  );
  const isDirect = place.startsWith('D');
  const { ts } = isDirect
    ? env.slack.say(userId, place, 'What about granite?')
    : env.slack.mention(userId, place, 'What about granite?');
  await env.answersIn(place, ts);
  const shown = JSON.stringify(env.slack.view(place, ts));
  const outputs = JSON.stringify(requests.flatMap(outputsIn));
  // What the model does not get must not come by another way either: sources under the answer, counts, names.
  expect([...shown.matchAll(marks)].every(([mark]) => outputs.includes(mark))).toBe(true);
  return [...new Set([...outputs.matchAll(marks)].map(([mark]) => mark))].toSorted();
}
const marks = /grey|ZIRCON|QUARRY|BUCKS|diary|minutes|payroll/g;
const outputsIn = ({ messages }: ModelRequest) =>
  messages.flatMap((message) => (message.role === 'tool' ? message.results.map(({ output }) => output) : []));

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
