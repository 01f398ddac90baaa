import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { alfred } from '../cli/run-alfred.ts';
import { putPolicies } from '../support/documents/put-policies.ts';
import { createApiHarness, type ApiHarness } from './api-harness.ts';
import { outlineOf, openConversation } from './open-conversation.ts';

let offline: ApiHarness;
let scripted: ApiHarness;
beforeAll(async () => {
  [offline, scripted] = await Promise.all([createApiHarness({ ALFRED_MODEL: 'offline:quote' }), createApiHarness()]);
  for (const harness of [offline, scripted]) {
    await putPolicies(harness);
    harness.useBuiltInTool('search_documents');
  }
});
afterAll(() => Promise.all([offline?.close(), scripted?.close()]));

const first = 'Is business class allowed on flights of 6 hours?';
const followUp = 'Who approves it?';
const fact = 'chief financial officer';
const rewritten = `${first} ${followUp}`;

test('a follow-up finds the right passage; events, task and citations show the rewritten query', async () => {
  const conversation = await openConversation(offline);
  for (const text of [first, followUp]) {
    await conversation.say(text);
    await conversation.quiet();
  }
  const answers = (await conversation.listed()).filter(({ role }) => role === 'assistant');
  const { taskId, text } = answers.at(-1) as { taskId: string; text: string };
  expect(text.replace(/\s+/g, ' ')).toContain(fact);
  expect(text).toContain(`I searched for “${rewritten}”`);

  const { body: task } = await offline.http.get(`/v1/tasks/${taskId}`);
  expect(task.result.citations[0]).toMatchObject({ document: 'travel.md', query: rewritten });
  expect((await offline.http.get(`/v1/tasks/${taskId}/citations`)).body.citations[0].query).toBe(rewritten);
  const events = (await conversation.events()).filter((event) => event.taskId === taskId);
  expect(events).toContainEqual(
    expect.objectContaining({
      type: 'tool.started',
      data: expect.objectContaining({ tool: 'search_documents', arguments: { query: rewritten, limit: 10 } }),
    }),
  );
  expect(events).toContainEqual(
    expect.objectContaining({
      type: 'tool.completed',
      data: expect.objectContaining({ summary: expect.stringMatching(/^\d+ passages? found for “Is business class/) }),
    }),
  );
});

test('an unanswerable follow-up is answered with a reservation, after the rewritten query', async () => {
  const conversation = await openConversation(offline);
  for (const text of [first, 'And for astronauts?']) {
    await conversation.say(text);
    await conversation.quiet();
  }
  expect((await conversation.listed()).at(-1)?.text).toMatch(
    /^Taken as a follow-up: .*“Is business class allowed on flights of 6 hours\? And for astronauts\?”\.\n\nThis may be related/,
  );
});

test('`alfred chat` shows the rewritten query', async () => {
  const input = `${first}\n${followUp}\n`;
  const { stdout, stderr } = await alfred(['chat'], { ALFRED_URL: offline.url, NO_COLOR: '1' }, { input });
  expect(stderr).toContain(`searching documents: ${rewritten} …`);
  expect(stdout.replace(/\s+/g, ' ')).toContain(fact);
});

test('a model is instructed to write a complete query, and reads it with the results', async () => {
  const requests = scripted.script([
    { calls: [{ tool: 'search_documents', arguments: { query: 'approval of business class' } }] },
    { text: ['The chief financial officer [1].'] },
  ]);
  const conversation = await openConversation(scripted);
  await conversation.say(followUp);
  await conversation.quiet();
  expect(requests[0]?.instructions).toContain('A search sees its query and nothing of the conversation');
  const tool = requests[0]?.tools.find(({ name }) => name === 'search_documents');
  expect(tool?.description).toContain('It sees nothing but the query');
  const outputs = requests[1] && outlineOf(requests[1]).at(-1);
  expect(outputs).toMatchObject([{ query: 'approval of business class', passages: expect.anything() }]);
});

test('POST /v1/search does not rewrite its query: the follow-up alone finds nothing relevant', async () => {
  const { body } = await offline.http.post('/v1/search', { query: followUp, limit: 3 });
  expect(body.passages.map(({ text }: { text: string }) => text).join(' ')).not.toContain(fact);
});
