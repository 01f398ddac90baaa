import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startFakeAnthropic, type AnthropicTurn } from '../support/providers/fake-anthropic.ts';
import { startFakeOpenAi } from '../support/providers/fake-openai.ts';
import { createApiHarness, type ApiHarness } from './api-harness.ts';

let claude: { fake: Awaited<ReturnType<typeof startFakeAnthropic>>; api: ApiHarness };
let gpt: { fake: Awaited<ReturnType<typeof startFakeOpenAi>>; api: ApiHarness };
beforeAll(async () => {
  const anthropic = await startFakeAnthropic('key');
  const openAi = await startFakeOpenAi('key');
  claude = {
    fake: anthropic,
    api: await createApiHarness({
      ALFRED_MODEL: 'anthropic:claude-sonnet-4-6',
      ANTHROPIC_API_KEY: 'key',
      ANTHROPIC_BASE_URL: anthropic.url,
    }),
  };
  gpt = {
    fake: openAi,
    api: await createApiHarness({
      ALFRED_MODEL: 'openai:gpt-5.4-mini',
      OPENAI_API_KEY: 'key',
      OPENAI_BASE_URL: openAi.url,
    }),
  };
});
afterAll(async () => {
  for (const started of [claude, gpt]) {
    await started?.api.close();
    await started?.fake.close();
  }
});

async function run(api: ApiHarness) {
  const { id } = await api.start();
  const events = await api.followToEnd(id);
  const { rows } = await api.postgres.pool.query<{ outcome: string }>(
    'select outcome from model_calls where task_id = $1 order by id',
    [id],
  );
  return { events, row: await api.row(id), outcomes: rows.map(({ outcome }) => outcome) };
}

const overload = { type: 'overloaded_error', message: 'Overloaded' };
test.each<[string, AnthropicTurn]>([
  ['as the first event', { raw: `event: error\ndata: ${JSON.stringify({ type: 'error', error: overload })}\n\n` }],
  ['after some text', { blocks: [{ type: 'text', pieces: ['Fifteen ', 'weeks'] }], errorEvent: overload }],
])('an overload %s: both attempts are in the ledger, and there is one answer', async (_, overloaded) => {
  const sent = claude.fake.bodies.length;
  claude.fake.script(overloaded, { blocks: [{ type: 'text', pieces: ['Sixteen ', 'weeks.'] }] });
  const { outcomes, events, row } = await run(claude.api);
  expect(row).toMatchObject({ status: 'completed', result: { text: 'Sixteen weeks.' } });
  expect(outcomes).toEqual(['model_unavailable', 'completed']);
  expect(claude.fake.bodies.length).toBe(sent + 2);
  const failedAt = events.findIndex(({ type }) => type === 'model.failed');
  expect(events[failedAt]).toMatchObject({ data: { error: { code: 'model_unavailable' }, willRetry: true } });
  // The text before the failure is void.
  const texts = events.slice(failedAt).flatMap((event) => (event.type === 'text.delta' ? [event.data.text] : []));
  expect(texts.join('')).toBe('Sixteen weeks.');
});

test('an answer without a finish reason, or as one document, is asked and paid once, without its thinking', async () => {
  const text = ['<think>Passage [7]?', '</think>\n', 'Sixteen weeks.'];
  for (const quirk of ['no finish reason', 'one document'] as const) {
    const sent = gpt.fake.bodies.length;
    gpt.fake.script({ text, quirks: [quirk] });
    const { outcomes, events, row } = await run(gpt.api);
    expect(row.result).toMatchObject({ text: 'Sixteen weeks.', citations: [], grounded: false });
    expect(outcomes).toEqual(['completed']);
    expect(gpt.fake.bodies.length).toBe(sent + 1);
    expect(JSON.stringify(events)).not.toContain('Passage [7]');
  }
});
