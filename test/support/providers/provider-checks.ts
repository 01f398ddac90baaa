import { expect } from '@jest/globals';
import type { Script } from '../../../adapters/models/script.ts';
import type { Message, ModelProvider, ModelRequest } from '../../../contract/ports/index.ts';
import { completeResponse, callsIn, collectResponse, inspectTool, requestOf, textIn } from './collect-response.ts';
import { structuredAnswer } from './compliant-model.ts';
import { passage } from '../documents/passage.ts';

/** What a provider may lack by nature: one without a model says nothing of its own and knows no output limit. */
export type Need = 'own words' | 'output limit' | 'parallel calls' | 'count';

/** Something that is so for every provider; also for a live server, whatever model it serves. */
export type Check = {
  title: string;
  needs?: Need;
  request: Partial<ModelRequest>;
  /** What a scripted model says to it. */
  turn: Script['turns'][number];
  holds: (provider: ModelProvider, request: ModelRequest) => Promise<void>;
};

const user = (text: string): Message => ({ role: 'user', text });
const numbers = Array.from({ length: 400 }, (_, i) => `${i + 1}\n`);

/** All that can be said between people, tools, models and Alfred, in one conversation. */
export const everything: Message[] = [
  { role: 'compaction', from: 'head', passages: {}, summary: 'Somebody asked what is at 1 and 2.' },
  user('What is at 3, and at 4?'),
  { role: 'user', text: 'Quickly, please.' },
  {
    role: 'assistant',
    parts: [
      { type: 'opaque', provider: 'nobody', value: { type: 'thinking' } },
      { type: 'text', text: 'I look.' },
      { type: 'tool_call', callId: 'call one', tool: 'look', arguments: { at: 3 } },
      { type: 'tool_call', callId: 'call:2', tool: 'look', arguments: {}, malformed: '{"at":' },
    ],
  },
  {
    role: 'tool',
    results: [
      { callId: 'call one', tool: 'look', output: { there: ['a tree', 'Größe 東京 🚀'] }, isError: false },
      { callId: 'call:2', tool: 'look', output: 'The arguments are no JSON.', isError: true },
    ],
  },
  { role: 'assistant', parts: [{ type: 'text', text: 'A tree.' }] },
  { role: 'user', text: 'That is not how an answer looks. Answer once more.', because: 'output_invalid' },
  { role: 'assistant', parts: [{ type: 'text', text: ' ' }] },
  user('And at 5? Half a character came through: \ud83d'),
  {
    role: 'assistant',
    parts: [{ type: 'tool_call', callId: 'c5', tool: 'not a tool!', arguments: { at: 5 } }],
  },
  { role: 'tool', results: [{ callId: 'c5', tool: 'not a tool!', output: null, isError: true }] },
];

/** What the protocol alone must give. */
export const protocolChecks: Check[] = [
  {
    title: 'streams the text of its answer, counts tokens, and ends once, last',
    request: {},
    turn: { text: ['Hel', 'lo.'] },
    async holds(provider, request) {
      const { events, text, usage, end } = await completeResponse(provider, request);
      expect(text).not.toBe('');
      expect(text).toBe(textIn(end.parts));
      expect(events.filter(({ type }) => type === 'end')).toHaveLength(1);
      expect(events.at(-1)).toBe(end);
      expect(end.stopReason).toBe('end');
      for (const tokens of Object.values(usage)) expect(Number.isInteger(tokens) && tokens >= 0).toBe(true);
      expect(usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens).toBeGreaterThan(0);
      expect(usage.outputTokens).toBeGreaterThan(0);
    },
  },
  {
    title: 'takes back all that a conversation may hold: summaries, corrections, calls, results, half characters',
    request: { messages: everything, tools: [inspectTool] },
    turn: { text: 'A tree.' },
    async holds(provider, request) {
      const { end } = await completeResponse(provider, request);
      expect(['end', 'tools']).toContain(end.stopReason);
    },
  },
  {
    title: 'takes a conversation with calls when no tools are on offer any more',
    request: { messages: everything },
    turn: { text: 'A tree.' },
    async holds(provider, request) {
      const { end } = await completeResponse(provider, request);
      expect(callsIn(end.parts)).toEqual([]);
    },
  },
  {
    title: 'stops at the output limit and says so',
    needs: 'output limit',
    request: { messages: [user('Count from 1 to 400, one number a line.')], maxOutputTokens: 16 },
    turn: { text: numbers.slice(0, 20), stopReason: 'max_tokens' },
    async holds(provider, request) {
      const { end } = await completeResponse(provider, request);
      expect(end.stopReason).toBe('max_tokens');
    },
  },
  {
    title: 'breaks off in the middle of its text when it is told to',
    request: { messages: [user('Count from 1 to 400, one number a line.')] },
    turn: { text: numbers },
    async holds(provider, request) {
      const { end, error, pieces } = await collectResponse(provider, request, {
        stopAt: ({ type }) => type === 'text',
      });
      expect(String(error)).toMatch(/\baborted\b/);
      expect(end).toBeUndefined();
      expect(pieces.length).toBeGreaterThan(0);
    },
  },
  {
    title: 'does not begin when it is told to stop before',
    request: {},
    turn: { text: 'Hello.' },
    async holds(provider, request) {
      const abort = new AbortController();
      abort.abort();
      const { events, error } = await collectResponse(provider, request, { abort });
      expect(String(error)).toMatch(/\baborted\b/);
      expect(events).toEqual([]);
    },
  },
  {
    title: 'counts the tokens of a request, more of them when there is more',
    needs: 'count',
    request: {},
    turn: { text: 'Hello.' },
    async holds(provider, request) {
      const { signal } = new AbortController();
      const few = await provider.countTokens?.(request, signal);
      const many = await provider.countTokens?.({ ...request, messages: everything }, signal);
      expect(few).toBeGreaterThan(0);
      expect(many).toBeGreaterThan(few ?? Infinity);
    },
  },
];

const passages = ['Trains are booked first.', 'Keep receipts. A report may take thirty days.'].map((text, i) => ({
  n: i + 1,
  ...passage(`p${i}`, text),
}));

/** What takes a model that understands. */
export const capabilityChecks: Check[] = [
  {
    title: 'calls the tool that the input names, with its arguments',
    request: {
      messages: [{ role: 'user', text: 'What is there?', tool: { name: 'look', arguments: { at: 7 } } }],
      tools: [inspectTool],
    },
    turn: { calls: [{ tool: 'look', arguments: { at: 7 } }] },
    async holds(provider, request) {
      const { end } = await completeResponse(provider, request);
      expect(end.stopReason).toBe('tools');
      expect(callsIn(end.parts)).toEqual([
        { type: 'tool_call', callId: expect.stringMatching(/./), tool: 'look', arguments: { at: 7 } },
      ]);
    },
  },
  {
    title: 'calls two tools at once, under two ids',
    needs: 'parallel calls',
    request: {
      messages: [
        user('Make two calls at once, in one turn: look with {"at": 1} and look with {"at": 2}. Say nothing.'),
      ],
      tools: [inspectTool],
    },
    turn: { calls: [1, 2].map((at) => ({ tool: 'look', arguments: { at } })) },
    async holds(provider, request) {
      const { end } = await completeResponse(provider, request);
      const calls = callsIn(end.parts);
      expect(calls.map((call) => call.arguments)).toEqual([{ at: 1 }, { at: 2 }]);
      expect(new Set(calls.map(({ callId }) => callId)).size).toBe(2);
    },
  },
  {
    title: 'answers from what a tool gave it',
    request: {
      messages: [
        user('Which number is at 7? Answer with the number.'),
        { role: 'assistant', parts: [{ type: 'tool_call', callId: 'abcdef123', tool: 'look', arguments: { at: 7 } }] },
        { role: 'tool', results: [{ callId: 'abcdef123', tool: 'look', output: { number: 4711 }, isError: false }] },
      ],
      tools: [inspectTool],
    },
    turn: { text: 'The number 4711.' },
    async holds(provider, request) {
      const { text, end } = await completeResponse(provider, request);
      expect(end.stopReason).toBe('end');
      expect(text).toContain('4711');
    },
  },
  {
    title: 'names the passage that it answers from by its number, and quotes only what stands there',
    request: {
      instructions: 'Answer from the passages. Put the number of the passage behind what it supports, like this: [3].',
      messages: [
        user('How many days may a report take?'),
        { role: 'assistant', parts: [{ type: 'tool_call', callId: 'abcdef123', tool: 'look', arguments: { at: 7 } }] },
        { role: 'tool', results: [{ callId: 'abcdef123', tool: 'look', output: { passages }, isError: false }] },
      ],
      tools: [inspectTool],
      citations: true,
    },
    turn: { text: 'A report may take thirty days [2].' },
    async holds(provider, request) {
      const { text, end } = await completeResponse(provider, request);
      expect(text).toContain('[2]');
      expect(textIn(end.parts)).toBe(text);
      for (const part of end.parts)
        for (const { chunkId, start, end: to, quote } of (part.type === 'text' && part.citations) || [])
          expect(passages.find((each) => each.chunkId === chunkId)?.text.slice(start, to)).toBe(quote);
    },
  },
  {
    title: 'says words of any script as they are',
    needs: 'own words',
    request: { messages: [user('Say exactly: Größe 東京 🚀')] },
    turn: { text: 'Größe 東京 🚀' },
    async holds(provider, request) {
      expect((await completeResponse(provider, request)).text).toContain('Größe 東京 🚀');
    },
  },
  {
    title: 'answers with JSON that fits the schema',
    needs: 'own words',
    request: {
      messages: [user('Oslo has 700000 people. Answer with the city and the number of its people.')],
      outputSchema: {
        type: 'object',
        properties: { city: { type: 'string' }, people: { type: 'integer' } },
        required: ['city', 'people'],
      },
    },
    turn: { text: JSON.stringify(structuredAnswer) },
    async holds(provider, request) {
      expect(JSON.parse((await completeResponse(provider, request)).text)).toEqual(structuredAnswer);
    },
  },
];

/** Every check's step in the script of a scripted model. */
const steps = new Map([...protocolChecks, ...capabilityChecks].map((check, i) => [check, i + 1]));
export const checksScript: Script = { turns: [...steps.keys()].map(({ turn }) => ({ ...turn, tokensPerS: 20_000 })) };
export const requestFor = (check: Check, model: string) =>
  requestOf({ idempotencyKey: `checks/${steps.get(check)}`, ...check.request, model });
