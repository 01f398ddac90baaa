import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startFakeAnthropic } from '../support/providers/fake-anthropic.ts';
import { contentOf, type Block } from '../support/providers/fake-anthropic-faults.ts';
import { startFakeOpenAi } from '../support/providers/fake-openai.ts';
import { putDocument } from '../support/documents/put-document.ts';
import { until } from '../support/until.ts';
import { createApiHarness, type ApiHarness } from './api-harness.ts';
import { transcript, openConversation } from './open-conversation.ts';

const claude = 'anthropic:claude-sonnet-4-6';
const text =
  'Parental leave lasts sixteen weeks. Tell us eight weeks early.\n\nPart-time is possible afterwards. It needs the consent of your manager.';

let fakes: { claude: Awaited<ReturnType<typeof startFakeAnthropic>>; gpt: Awaited<ReturnType<typeof startFakeOpenAi>> };
let api: ApiHarness;
beforeAll(async () => {
  fakes = { claude: await startFakeAnthropic('key'), gpt: await startFakeOpenAi('key') };
  api = await createApiHarness({
    ALFRED_MODEL: `${claude},openai:gpt-5.4-mini`,
    ANTHROPIC_API_KEY: 'key',
    ANTHROPIC_BASE_URL: fakes.claude.url,
    OPENAI_API_KEY: 'key',
    OPENAI_BASE_URL: fakes.gpt.url,
  });
  api.useBuiltInTool('search_documents');
  await putDocument(api.postgres.db, 'leave.txt', text);
});
afterAll(async () => {
  await api?.close();
  await fakes?.claude.close();
  await fakes?.gpt.close();
});

const first = { search_result_index: 0 };
const searches = {
  blocks: [{ type: 'tool_use', id: 'toolu_1', name: 'search_documents', pieces: ['{"query":"parental leave weeks"}'] }],
  stopReason: 'tool_use',
};

test('a partial result keeps what Claude cited before', async () => {
  const early = {
    type: 'text',
    pieces: ['You must tell us'],
    cites: [{ ...first, start_block_index: 1, end_block_index: 2 }],
  };
  const [call] = searches.blocks;
  fakes.claude.script(searches, {
    blocks: [early, { ...call, type: 'tool_use', id: 'toolu_2' }],
    stopReason: 'tool_use',
  });
  const { id } = await api.start({ budget: { maxModelCalls: 2, waitS: 0 } });
  await api.followToEnd(id);
  expect((await api.row(id)).result).toMatchObject({
    text: 'You must tell us [1]',
    incomplete: 'budget',
    citations: [{ n: 1, quote: 'Tell us eight weeks early.' }],
  });
});

test('Claude’s citations are shown with their quotes and places, and another provider continues the conversation', async () => {
  fakes.claude.script(searches, {
    blocks: [
      { type: 'text', pieces: ['After your sixteen weeks '] },
      {
        type: 'text',
        pieces: ['you may work less', ' if your boss agrees'],
        cites: [{ ...first, start_block_index: 2, end_block_index: 4 }],
      },
      { type: 'text', pieces: ['.'] },
    ],
  });
  const conversation = await openConversation(api);
  const { body } = await conversation.say('May I work less after my leave?');
  const answer = 'After your sixteen weeks you may work less if your boss agrees [1].';
  expect(transcript(await conversation.quiet())).toEqual(['May I work less after my leave?', `> ${answer}`]);
  const task = (await api.http.get(`/v1/tasks/${body.taskId}`)).body;
  expect(task).toMatchObject({ status: 'completed', model: claude, result: { text: answer } });
  const streamed = (await api.followToEnd(body.taskId as string)).flatMap((event) =>
    event.type === 'text.delta' ? [event.data.text] : [],
  );
  expect(streamed.join('')).toBe(answer);

  const quote = 'Part-time is possible afterwards. It needs the consent of your manager.';
  const start = text.indexOf(quote);
  const [citation, ...others] = (await api.http.get(`/v1/tasks/${body.taskId}/citations`)).body.citations;
  expect(others).toEqual([]);
  expect(citation).toMatchObject({ n: 1, document: 'leave.txt', quote, start, end: text.length, state: 'unchanged' });
  const [, request] = fakes.claude.requests;
  const [result] = contentOf(request?.messages?.at(-1) ?? { content: '' });
  expect((result?.content as Block[]).map(({ type }) => type)).toEqual(['text', 'search_result']);
  expect(await api.metrics.registry.metrics()).toContain(`citations_total{model="${claude}",quoted_by="model"} 1`);

  // The answer goes back to Claude as plain text, and then to another provider.
  fakes.claude.script({ blocks: [{ type: 'text', pieces: ['Sixteen [1].'] }] });
  await conversation.say('How long is it?');
  await conversation.quiet();
  const again = fakes.claude.requests.at(-1)?.messages ?? [];
  expect(contentOf(again[3] ?? { content: '' })).toEqual([{ type: 'text', text: answer }]);

  await until('the gate is closed', () => api.gate.recordFailure(claude));
  fakes.gpt.script({ text: ['Eight weeks [1].'] });
  const last = await conversation.say('How early must I tell you?');
  expect(transcript(await conversation.quiet()).at(-1)).toBe('> Eight weeks [1].');
  expect(fakes.gpt.requests.at(-1)?.messages?.map(({ role }) => role)).toEqual([
    'system',
    'user',
    'assistant',
    'tool',
    'assistant',
    'user',
    'assistant',
    'user',
  ]);
  expect(fakes.gpt.requests.at(-1)?.messages?.[4]).toEqual({ role: 'assistant', content: answer });
  const { body: answered } = await api.http.get(`/v1/tasks/${last.body.taskId}/citations`);
  expect(answered.citations).toMatchObject([{ n: 1, quote: 'Tell us eight weeks early.', state: 'unchanged' }]);
});
