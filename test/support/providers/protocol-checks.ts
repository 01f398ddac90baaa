import { expect } from '@jest/globals';
import type { Message } from '../../../contract/ports/index.ts';
import { completeResponse, callsIn, collectResponse, inspectTool, textIn } from './collect-response.ts';
import type { Check } from './check.ts';

const user = (text: string): Message => ({ role: 'user', text });
const numbers = Array.from({ length: 400 }, (_, i) => `${i + 1}\n`);

/** A conversation with every kind of message that can be stored. */
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

/** Behaviour that does not depend on the model. */
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
