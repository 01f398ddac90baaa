import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Adapters } from '../../../wiring/adapters.ts';
import { offlineQuery } from '../../../adapters/models/offline-query.ts';
import { createTools } from '../../../agents/tools/index.ts';
import { createOfflineProvider } from '../../../adapters/models/offline.ts';
import { numberPassages } from '../../../activities/context/citations.ts';
import type { Message, ModelEvent } from '../../../contract/ports/index.ts';
import { withAttachedFiles } from '../../../contract/rules/attached-files.ts';
import { withThreadAbove } from '../../../contract/rules/thread-above.ts';
import { createPolicyEnvironment } from '../../support/documents/policy-environment.ts';
import { local } from '../../support/documents/put-document.ts';

const user = (text: string): Message => ({ role: 'user', text });
const queryOf = (...texts: string[]) => offlineQuery(texts.map(user)).query;
const notice = 'How long is the notice period?';
const story =
  'I came back from the conference in Lisbon last Friday. The flight was delayed by seven hours and the airline put us in a hotel near the airport. I had already paid for the taxi and for two dinners with a customer, and the card machine printed no receipt for one of them. My manager said that this happens a lot. Last year the same happened in Rome and the finance team asked for a written statement. I have the statement of the airline, the booking and photographs of the menu. The amounts are 43 and 61 euros.';

describe('the offline query', () => {
  test.each([
    'And for managers?',
    'What about managers?',
    'For managers?',
    'Does it apply to managers?',
    'Is that also so for managers?',
    'And then?',
    'Why?',
    'Is it required?',
    'is there a maximum?',
    'Und für Teilzeit?',
    'Gilt das auch für Manager?',
    'Gibt es ein Maximum?',
    'Warum?',
    'Et pour les stagiaires ?',
    'Y a-t-il un plafond ?',
    '¿Y en Berlín?',
    'E per gli stagisti?',
    'E para estagiários?',
    'En voor stagiairs?',
    'Och för deltid?',
    'Og for deltid?',
    'Entä osa-aikaiset?',
    'А для стажёров?',
    'Stajyerler için?',
    'وماذا عن المتدربين؟',
    '那兼职呢？',
    '有上限吗？',
    'パートは？',
    '시간제는?',
  ])('of “%s” includes the previous question', (followUp) => {
    expect(queryOf(notice, followUp)).toBe(`${notice} ${followUp}`);
  });

  test.each([
    'Who wrote Hamlet?',
    'What is the dress code?',
    'Is there a company kindergarten?',
    'Is it allowed to smoke on the terrace?',
    'Which holidays are there this year?',
    'And how many weeks of parental leave do adoptive parents have?',
    'For which trips may I fly business class?',
    'Who are you?',
    'Thanks',
    '有給休暇は何日ありますか',
    'Wie viele Urlaubstage habe ich?',
    'Gibt es eine Kantine?',
    'Wie hoch ist das Gehalt?',
    'Wer bist du?',
    'Welche Reisen darf ich Business fliegen?',
    'In welchen Fällen zahlt die Firma?',
    'En combien de temps suis-je remboursé ?',
    'Y a-t-il une cantine ?',
    '¿Cuántos días de vacaciones tengo?',
    'Сколько дней отпуска?',
    'Kaç gün izin var?',
    'كم يوم إجازة لدي؟',
    '年假有几天？',
    '食堂はどこですか？',
    '연차는 며칠인가요?',
  ])('of “%s” is the question itself', (question) => {
    expect(queryOf(notice, question)).toBe(question);
  });

  test('leaves out the files that are attached', () => {
    const question = withAttachedFiles(notice, [{ name: 'contract.txt', documentId: '01993a4e-0000-7000-8000-0000' }]);
    expect(queryOf(question)).toBe(notice);
    expect(queryOf(question, 'And for managers?')).toBe(`${notice} And for managers?`);
  });

  test('refers to what stands above it in a thread of Slack', () => {
    const above = [{ author: '“Ann”', text: notice, files: [] }];
    expect(queryOf(withThreadAbove('Can you answer this?', above, 20_000))).toBe(`${notice} Can you answer this?`);
    expect(queryOf(withThreadAbove('Who wrote Hamlet?', above, 20_000))).toBe('Who wrote Hamlet?');
  });

  test('goes back to an independent question, over at most three messages, on one line', () => {
    expect(queryOf('Who wrote Hamlet?', notice, 'And for managers?', 'And\nfor interns?')).toBe(
      `${notice} And for managers? And for interns?`,
    );
    expect(queryOf(notice, 'For a?', 'For bb?', 'For cc?', 'For dd?')).toBe('For a? For bb? For cc? For dd?');
    expect(queryOf('And for managers?')).toBe('And for managers?');
    expect(queryOf()).toBe('');
  });

  test('fits the search’s limit and keeps the whole follow-up', () => {
    const query = queryOf(`What is ${'a very long 😀 story '.repeat(400)}`, 'And for managers?');
    expect(query.length).toBeLessThanOrEqual(520);
    expect(query).toMatch(/And for managers\?$/);
    expect(query.isWellFormed()).toBe(true);
    expect(queryOf('😀'.repeat(2_000)).length).toBe(2_000);
  });

  test.each([
    ['at its end', (text: string, question: string) => `${text}\n\n${question}`],
    ['at its end, before the name', (text: string, question: string) => `${text}\n\n${question}\n\nThanks,\nAnn`],
    ['at its beginning', (text: string, question: string) => `${question}\n\n${text}`],
    ['between its paragraphs', (text: string, question: string) => `${text}\n\n${question}\n\n${text}`],
  ])('of a long text is the question %s', (_, combine) => {
    const question = 'How do I claim expenses without a receipt?';
    expect(queryOf(combine(story, question))).toBe(question);
    expect(queryOf(notice, combine(story, question))).toBe(question);
  });

  test('of a long text has the sentence beside a question that says little', () => {
    expect(queryOf(`${story} Is that paid?`)).toBe('The amounts are 43 and 61 euros. Is that paid?');
    expect(queryOf('长途出差的报销流程很复杂。'.repeat(30) + '没有收据怎么报销费用？')).toBe('没有收据怎么报销费用？');
    expect(queryOf('长途出差的报销流程很复杂。'.repeat(30) + '住宿费可以报销吗。')).toBe('住宿费可以报销吗。');
  });

  test('of a long text without a question is the whole text, of a longer one than a search takes both ends', () => {
    const request = 'Tell me which form I need for a lost receipt.';
    for (const text of [`${story} ${request}`, `${request} ${story} Thanks, Ann`]) expect(queryOf(text)).toBe(text);
    const long = queryOf(`${request} ${`${story} `.repeat(9)}${request} Thanks, Ann`);
    expect(long.length).toBeLessThanOrEqual(2_000);
    expect(long.startsWith(request)).toBe(true);
    expect(long.endsWith(`${request} Thanks, Ann`)).toBe(true);
  });

  test('ignores Alfred’s comments and calls of a tool', () => {
    const because: Message = { role: 'user', text: 'Say it as JSON.', because: 'output_invalid' };
    expect(offlineQuery([user(notice), because, user('And for managers?')]).query).toBe(`${notice} And for managers?`);
    expect(offlineQuery([user(notice), because]).query).toBe(notice);
    const tool = { name: 'read_document', arguments: {} };
    expect(offlineQuery([user(notice), { role: 'user', text: 'Read it', tool }]).isFollowUp).toBe(false);
  });
});

describe('a conversation with the offline provider about the example policies', () => {
  let env: Awaited<ReturnType<typeof createPolicyEnvironment>>;
  let adapters: Adapters;
  beforeAll(async () => {
    env = await createPolicyEnvironment();
    adapters = env.adapters;
  });
  afterAll(() => env?.close());

  /** The answer to the last of these messages, after the others were answered. */
  async function answer(...texts: string[]): Promise<{ query: string; text: string }> {
    const provider = createOfflineProvider({ firstTokenMs: 0, tokensPerS: 0 });
    const signal = AbortSignal.timeout(30_000);
    const tool = createTools(env.config, adapters)['search_documents'];
    if (!tool) throw new Error('the search is a tool');
    const stream = async (messages: Message[]) => {
      const events: ModelEvent[] = [];
      const request = { model: 'quote', instructions: '', messages, tools: [tool], maxOutputTokens: 1_000 };
      for await (const event of provider.stream({ ...request, idempotencyKey: 't/1' }, signal)) events.push(event);
      const [part] = events.flatMap((event) => (event.type === 'end' ? event.parts : []));
      return part;
    };
    const messages: Message[] = texts.flatMap((text, i) =>
      i === 0
        ? [user(text)]
        : [{ role: 'assistant' as const, parts: [{ type: 'text' as const, text: '…' }] }, user(text)],
    );
    const call = await stream(messages);
    if (call?.type !== 'tool_call') throw new Error('it did not search');
    const context = { scope: local, taskId: 't', receiptKey: 't/1/c', signal, beforeSend: async () => {} };
    const { output } = await tool.run(call.arguments, context);
    messages.push({ role: 'assistant', parts: [call] });
    messages.push({ role: 'tool', results: [{ callId: 'c', tool: tool.name, output, isError: false }] });
    const part = await stream(numberPassages(messages));
    return { query: (call.arguments as { query: string }).query, text: part?.type === 'text' ? part.text : '' };
  }

  test.each([
    ['What is the limit for a taxi ride?', 'And for meals with guests?', '70 EUR'],
    ['How many vacation days of paid leave do I have?', 'What about part-time employees?', 'the same share of it'],
    ['How long is parental leave for the birth parent?', 'And for adoptive parents?', '12 weeks'],
    ['What is the limit for a hotel night in London?', 'And in Paris?', '190 EUR'],
    ['Is business class allowed on flights of 6 hours?', 'Who approves it?', 'chief financial officer'],
  ])('“%s”, then “%s”: the answer contains %s and the query', async (first, followUp, fact) => {
    const { query, text } = await answer(first, followUp);
    expect(query).toBe(`${first} ${followUp}`);
    expect(text).toContain(`Taken as a follow-up: I searched for “${query}”.`);
    expect(text.replace(/\s+/g, ' ')).toContain(fact);
  });

  test.each(['And for astronauts?', 'What about the moon?', 'And in Sydney?'])(
    '“%s” after an answered question may be related only: the passages for the first question do not name it',
    async (followUp) => {
      const { text } = await answer('What is the limit for a hotel night in London?', followUp);
      expect(text).toMatch(
        /^Taken as a follow-up: .* “What is the limit for a hotel night in London\? .*”\.\n\nThis may be related; it does not clearly answer/,
      );
    },
  );

  test('an unanswerable question gets no answer without a reservation after another question either', async () => {
    const file = await readFile(new URL('../../evaluation/policies.json', import.meta.url), 'utf8');
    const { questions } = JSON.parse(file) as { questions: { question: string; document: string | null }[] };
    const answerable = questions.filter(({ document }) => document !== null);
    const unanswerable = questions.filter(({ document }) => document === null);
    const answered: string[] = [];
    for (const [i, { question }] of unanswerable.entries()) {
      const { text } = await answer(answerable[i % answerable.length]?.question ?? '', question);
      if (!/^(Taken as a follow-up.*\n\n)?(I don’t know|This may be related)/.test(text)) answered.push(question);
    }
    console.log(
      `after another question, by words alone: ${unanswerable.length - answered.length} of ${unanswerable.length} not answered`,
    );
    expect(answered.length).toBeLessThanOrEqual(5);
  });

  test('an independent question after another question is the query itself', () => {
    const question = 'How often is a laptop replaced?';
    expect(queryOf('When is flu vaccination offered?', question)).toBe(question);
  });
});
