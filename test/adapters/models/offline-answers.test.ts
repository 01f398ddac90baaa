import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Adapters } from '../../../wiring/adapters.ts';
import { createTools } from '../../../agents/tools/index.ts';
import { createOfflineProvider } from '../../../adapters/models/offline.ts';
import { citationsOf, numberPassages, placesIn } from '../../../activities/context/citations.ts';
import type { Message } from '../../../contract/ports/index.ts';
import { createPolicyEnvironment } from '../../support/documents/policy-environment.ts';
import { local } from '../../support/documents/put-document.ts';

type Question = { question: string; document: string | null; fact: string | null };
const { questions } = JSON.parse(
  await readFile(new URL('../../evaluation/policies.json', import.meta.url), 'utf8'),
) as {
  questions: Question[];
};

let env: Awaited<ReturnType<typeof createPolicyEnvironment>>;
let adapters: Adapters;
beforeAll(async () => {
  env = await createPolicyEnvironment();
  adapters = env.adapters;
});
afterAll(() => env?.close());

/** The offline provider's answer to a question, after its search. */
async function answer(question: string) {
  const provider = createOfflineProvider({ firstTokenMs: 0, tokensPerS: 0 });
  const signal = AbortSignal.timeout(30_000);
  const tool = createTools(env.config, adapters)['search_documents'];
  if (!tool) throw new Error('the search is a tool');
  const context = { scope: local, taskId: 't', receiptKey: 't/1/c', signal, beforeSend: async () => {} };
  const { output } = await tool.run({ query: question }, context);
  const messages: Message[] = numberPassages([
    { role: 'user', text: question },
    { role: 'assistant', parts: [{ type: 'tool_call', callId: 'c', tool: 'search_documents', arguments: {} }] },
    { role: 'tool', results: [{ callId: 'c', tool: 'search_documents', output: output, isError: false }] },
  ]);
  let text = '';
  let places: ReturnType<typeof placesIn> = [];
  for await (const event of provider.stream(
    { model: 'quote', instructions: '', messages, tools: [], maxOutputTokens: 1_000, idempotencyKey: 't/2' },
    signal,
  ))
    if (event.type === 'text') text += event.text;
    else if (event.type === 'end') places = placesIn(event.parts);
  return { text, citations: citationsOf(text, messages, places) };
}

test('of questions that the policies do not answer few get an answer without a reservation, and the others get a verbatim quotation with its place', async () => {
  const unanswerable = questions.filter(({ document }) => document === null);
  const answerable = questions.filter(({ document }) => document !== null);
  const wronglyAnswered: string[] = [];
  for (const { question } of unanswerable)
    if (!/^(I don’t know|This may be related)/.test((await answer(question)).text)) wronglyAnswered.push(question);
  let correct = 0;
  let quotes = 0;
  for (const { question, document, fact } of answerable) {
    const { text, citations } = await answer(question);
    const oneLine = text.replace(/\s+/g, ' ');
    if (citations.some((citation) => citation.document === document) && oneLine.includes(fact ?? '\0')) correct++;
    for (const { documentId, start, end, quote } of citations) {
      quotes++;
      const stored = await adapters.documents.read(local, documentId);
      expect(stored?.text.slice(start, end)).toBe(quote);
    }
  }
  console.log(
    `by words alone: ${unanswerable.length - wronglyAnswered.length} of ${unanswerable.length} not answered, ${correct} of ${answerable.length} answered right, ${quotes} quotations`,
  );
  expect(wronglyAnswered.length).toBeLessThanOrEqual(5);
  expect(correct).toBeGreaterThanOrEqual(36);
});
