import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { documentsQueue } from '../../contract/ids.ts';
import type { ModelRequest } from '../../contract/ports/index.ts';
import type { Upload } from '../../deploy/slack/fake/people.ts';
import { askAboutShortcutId } from '../../slack/rendering/actions.ts';
import { createAdapters, type Adapters } from '../../wiring/adapters.ts';
import { startWorkers } from '../../workers/compose.ts';
import { until } from '../support/until.ts';
import { createSlackHarness, type SlackHarness } from './slack-harness.ts';

let env: SlackHarness;
let adapters: Adapters;
let workers: Awaited<ReturnType<typeof startWorkers>>;
let team: string;
beforeAll(async () => {
  env = await createSlackHarness({ ALFRED_MAX_UPLOAD_MB: '0.2' }, { rateLimits: false });
  for (const tool of ['search_documents', 'read_document']) env.useBuiltInTool(tool);
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
  const scope = { tenant: 'local', subject: `slack:${team}:${id}` };
  return { id, channel, scope };
}
const documentsOf = async (scope: { tenant: string; subject: string }) =>
  (await env.documents.list(scope, { limit: 100 })).documents;
const lastText = ({ messages }: ModelRequest) => messages.findLast(({ role }) => role === 'user')!;
const askedIn = (request: ModelRequest | undefined) => {
  const message = request && lastText(request);
  return message?.role === 'user' ? message.text : '';
};
const outputsIn = ({ messages }: ModelRequest) =>
  messages.flatMap((message) => (message.role === 'tool' ? message.results.map(({ output }) => output) : []));
const answer = (text = 'Done.') => env.script(() => ({ text: [text] }));
const text = (name: string, content: string): Upload => ({ name, content });
async function processed() {
  await env.slack.settled();
  await env.inboxIsEmpty();
}
/** What Alfred says in a thread beside its answers. */
const linesIn = (channel: string, thread: string) =>
  env.slack
    .view(channel, thread)
    .filter(({ fromApp }) => fromApp)
    .map(({ shown }) => shown)
    .join('\n');

/** A model that reads the document that the question names. */
const readsTheFile = (request: ModelRequest) =>
  request.messages.at(-1)?.role === 'tool'
    ? { text: ['A summary.'] }
    : {
        calls: [
          {
            tool: 'read_document',
            arguments: { documentId: /documentId ([0-9a-f-]{36})/.exec(askedIn(request))?.[1] ?? '' },
          },
        ],
      };

describe('a file with a question', () => {
  test('is read before the question begins, with a status meanwhile, and is the document of the person', async () => {
    const requests = env.script(readsTheFile);
    const { id, channel, scope } = person();
    const release = env.slack.faults.blockDownloads();
    const { ts } = env.slack.upload(id, channel, text('plan.txt', 'The PLUM is ripe in June.'), {
      text: 'Summarise the attached file',
    });
    await until('the status says so', () => env.slack.status(channel, ts)?.includes('is reading plan.txt'));
    expect(requests).toEqual([]);
    release();
    await env.answersIn(channel, ts);
    expect(JSON.stringify(requests.flatMap(outputsIn))).toContain('PLUM');
    expect(askedIn(requests[0])).toMatch(/^Summarise the attached file\n[\s\S]*- plan\.txt \(documentId /);
    expect(await documentsOf(scope)).toMatchObject([
      { name: expect.stringMatching(/^slack\/[0-9a-f]{64}\/plan\.txt$/), readers: [], owner: scope.subject },
    ]);
    expect(linesIn(channel, ts)).not.toContain('could not');
  });

  test('is one document when it is shared again, and when it is uploaded again', async () => {
    answer();
    const { id, channel, scope } = person();
    const first = env.slack.upload(id, channel, text('fees.csv', 'fee,eur\nentry,12\n'), { text: 'What is the fee?' });
    await env.answersIn(channel, first.ts);
    const again = [
      env.slack.shareAgain(id, channel, first.files[0]!, { text: 'And now?' }),
      env.slack.upload(id, channel, text('fees.csv', 'fee,eur\nentry,12\n'), { text: 'And here?' }),
    ];
    for (const { ts } of again) await env.answersIn(channel, ts);
    expect(await documentsOf(scope)).toMatchObject([{ version: 1 }]);
    const other = env.slack.upload(id, channel, text('fees.csv', 'fee,eur\nentry,13\n'), { text: 'The new fees?' });
    await env.answersIn(channel, other.ts);
    expect(await documentsOf(scope)).toHaveLength(2);
  });

  test('that only Slack can describe is asked for, in a channel too', async () => {
    const requests = answer();
    const { id } = person();
    const { id: channel } = env.slack.addChannel({ name: `channel${++count}`, members: [id] });
    const mention = `<@${env.slack.workspace.botUserId}> What is it about?`;
    const upload = { ...text('quince.md', '# The quince\n\nIt is sour.'), onlyNamed: true };
    const { ts } = env.slack.upload(id, channel, upload, { text: mention });
    await env.answersIn(channel, ts);
    expect(askedIn(requests[0])).toContain('- quince.md (documentId ');
    expect(await documentsOf({ tenant: 'local', subject: `slack:${team}:${channel}` })).toHaveLength(1);
  });
});

describe('a file that cannot be read', () => {
  test('among several has a line that says why, and the question is asked with the others', async () => {
    const requests = answer();
    const { id, channel, scope } = person();
    const { ts } = env.slack.upload(
      id,
      channel,
      [
        text('good.txt', 'The fig is sweet.'),
        { name: 'link.gdoc', content: '', mode: 'external' },
        { name: 'gone.txt', content: '', mode: 'tombstone' },
        { name: 'old.txt', content: '', mode: 'hidden_by_limit' },
        text('big.txt', 'x'.repeat(250_000)),
        { name: 'tool.exe', content: Buffer.from([0x4d, 0x5a, 0x90, 0, 3, 0, 0, 0]) },
        text('blank.txt', ' \n'),
      ],
      { text: 'What do they say?' },
    );
    await env.answersIn(channel, ts);
    await processed();
    const lines = linesIn(channel, ts);
    expect(lines).toContain('“link.gdoc” is not stored in Slack');
    expect(lines).toContain('is not in Slack any more');
    expect(lines).toContain('Slack hides');
    expect(lines).toContain('“big.txt” is too large');
    expect(lines).toMatch(/I could not read “tool\.exe”: .+/);
    expect(lines).toMatch(/I could not read “blank\.txt”: the file holds no text/);
    expect(lines).not.toContain('good.txt');
    expect(askedIn(requests[0])).toContain('- good.txt (documentId ');
    expect(askedIn(requests[0])).toContain('- big.txt (not read)');
    expect(requests).toHaveLength(1);
    expect(await documentsOf(scope)).toHaveLength(1);
  });

  test('because the app lacks the scope says who can change that, also to operators', async () => {
    const requests = answer();
    const { id, channel } = person();
    const warning = () => env.readiness.read().then(({ dependencies }) => dependencies['slack']?.detail);
    env.slack.workspace.scopes.delete('files:read');
    const { ts } = env.slack.upload(id, channel, text('pear.txt', 'Green.'), { text: 'Which colour?' });
    await env.answersIn(channel, ts);
    await processed();
    expect(linesIn(channel, ts)).toContain('files:read');
    expect(requests).toHaveLength(1);
    await until('a warning', warning, { accept: (detail) => detail.includes('missing_scope in file download') });
    env.slack.workspace.scopes.add('files:read');
    const second = env.slack.upload(id, channel, text('pear.txt', 'Green.'), { text: 'Which colour?' });
    await env.answersIn(channel, second.ts);
    await until('no warning', async () => (await warning()) === undefined);
  });
});

describe('a file without words', () => {
  test('is read, a line says so, and a question in the thread knows it', async () => {
    const requests = answer();
    const { id, channel } = person();
    const { ts } = env.slack.upload(id, channel, [text('a.txt', 'An apple.'), text('b.txt', 'A berry.')]);
    await processed();
    expect(linesIn(channel, ts)).toContain('I have read “a.txt” and “b.txt”.');
    expect(requests).toEqual([]);
    env.slack.say(id, channel, 'Compare them', ts);
    await env.answersIn(channel, ts);
    env.slack.say(id, channel, 'Shorter', ts);
    await env.answersIn(channel, ts, 2);
    expect(askedIn(requests[0])).toMatch(/^Compare them\n[\s\S]*- a\.txt \(documentId [\s\S]*- b\.txt \(documentId /);
    expect(askedIn(requests[1])).toBe('Shorter');
  });

  test('in a channel needs a mention first, and the follow-up none', async () => {
    const requests = answer();
    const { id } = person();
    const { id: channel } = env.slack.addChannel({ name: `channel${++count}`, members: [id] });
    env.slack.upload(id, channel, text('menu.txt', 'Soup.'));
    await processed();
    expect(await documentsOf({ tenant: 'local', subject: `slack:${team}:${channel}` })).toEqual([]);
    const mention = `<@${env.slack.workspace.botUserId}>`;
    const { ts } = env.slack.upload(id, channel, text('menu.txt', 'Soup.'), { text: mention });
    await processed();
    expect(env.noticesIn(channel, id)).toMatchObject([{ shown: expect.stringContaining('I have read “menu.txt”') }]);
    env.slack.say(id, channel, 'What is there?', ts);
    await env.answersIn(channel, ts);
    expect(askedIn(requests[0])).toContain('- menu.txt (documentId ');
  });
});

test('a file of a private channel leaves no trace elsewhere: not in answers, lists or counts', async () => {
  const [anna, bert] = [person(), person()];
  const members = [anna.id, bert.id];
  const { id: board } = env.slack.addChannel({ name: 'board', kind: 'private', members });
  const { id: other } = env.slack.addChannel({ name: 'other', kind: 'private', members });
  /** Asks for the secret, and returns what the model got to read, and all that the place shows. */
  async function readFor(userId: string, place: string) {
    const requests = env.script((request) =>
      request.messages.at(-1)?.role === 'tool'
        ? { text: ['Done.'] }
        : { calls: [{ tool: 'search_documents', arguments: { query: 'merger of the orchards' } }] },
    );
    const say = place.startsWith('D') ? env.slack.say : env.slack.mention;
    const { ts } = say(userId, place, 'What about the merger?');
    await env.answersIn(place, ts);
    return JSON.stringify([requests.flatMap(outputsIn), env.slack.view(place, ts)]);
  }
  const before = await Promise.all([anna, bert].map(({ scope }) => documentsOf(scope)));
  const whatAnnaRead = await readFor(anna.id, anna.channel);
  answer();
  const mention = `<@${env.slack.workspace.botUserId}> Note this.`;
  const { ts } = env.slack.upload(anna.id, board, text('merger.txt', 'The merger of the orchards: DAMSON.'), {
    text: mention,
  });
  await env.answersIn(board, ts);
  const passages = (seen: string) => seen.match(/"chunkId"/g)?.length ?? 0;
  for (const [who, place] of [
    [anna, anna.channel],
    [bert, bert.channel],
    [anna, other],
  ] as const) {
    const seen = await readFor(who.id, place);
    expect(seen).not.toMatch(/DAMSON|merger\.txt/);
    if (place === anna.channel) expect(passages(seen)).toBe(passages(whatAnnaRead));
  }
  expect(await Promise.all([anna, bert].map(({ scope }) => documentsOf(scope)))).toEqual(before);
  expect(await documentsOf({ tenant: 'local', subject: `slack:${team}:${other}` })).toEqual([]);
  expect(await readFor(bert.id, board)).toContain('DAMSON');
});

test('a form opens while the files of its thread are read', async () => {
  answer();
  const { id, channel } = person();
  const release = env.slack.faults.blockDownloads();
  const { ts } = env.slack.upload(id, channel, text('fig.txt', 'A fig.'), { text: 'What is it?' });
  await until('it reads', () => env.slack.status(channel, ts)?.includes('is reading fig.txt'));
  await env.slack.messageShortcut(id, { channel, ts }, askAboutShortcutId);
  await until('the form', () => env.slack.modal(id));
  release();
  await env.answersIn(channel, ts);
});

test('a bot that stops while it reads files leaves them to another one, and the question is asked once', async () => {
  const requests = answer('Read.');
  const { id, channel, scope } = person();
  const release = env.slack.faults.blockDownloads();
  const { ts } = env.slack.upload(id, channel, text('lime.txt', 'A lime.'), { text: 'What is it?' });
  await until('it reads', () => env.slack.status(channel, ts)?.includes('is reading lime.txt'));
  await env.stopBot();
  release();
  await env.startBot();
  expect(await env.answersIn(channel, ts)).toHaveLength(1);
  expect(requests).toHaveLength(1);
  expect(await documentsOf(scope)).toHaveLength(1);
  expect((await env.tasks()).filter(({ subject }) => subject === scope.subject)).toHaveLength(1);
});

test('who loses its link while its files are read does not ask with the rights of that link', async () => {
  const requests = answer();
  const { id, channel } = person();
  const link = 'insert into slack_links (team, user_id, tenant, subject) values ($1, $2, $3, $4)';
  await env.postgres.pool.query(link, [team, id, 'local', 'leaver']);
  const release = env.slack.faults.blockDownloads();
  const { ts } = env.slack.upload(id, channel, text('kale.txt', 'Kale.'), { text: 'What is it?' });
  await until('it reads', () => env.slack.status(channel, ts)?.includes('is reading kale.txt'));
  await env.postgres.pool.query('delete from slack_links where user_id = $1', [id]);
  release();
  await processed();
  expect(linesIn(channel, ts)).toContain('has changed while I read your files');
  expect(requests).toEqual([]);
});

test('the files of a question that was not taken are those of the next one', async () => {
  const requests = answer();
  const { id, channel } = person();
  const { ts } = env.slack.upload(id, channel, text('leek.txt', 'Leek.'), { text: 'x'.repeat(19_990) });
  await processed();
  expect(linesIn(channel, ts)).toContain('and I take 20,000');
  env.slack.say(id, channel, 'What is it?', ts);
  await env.answersIn(channel, ts);
  expect(askedIn(requests[0])).toContain('- leek.txt (documentId ');
});
