import { expect } from '@jest/globals';
import type { Message } from '../../../contract/ports/index.ts';
import { completeResponse, callsIn, inspectTool, textIn } from './collect-response.ts';
import { structuredAnswer } from './compliant-model.ts';
import { passage } from '../documents/passage.ts';
import type { Check } from './check.ts';

const user = (text: string): Message => ({ role: 'user', text });

const passages = ['Trains are booked first.', 'Keep receipts. A report may take thirty days.'].map((text, i) => ({
  n: i + 1,
  ...passage(`p${i}`, text),
}));

/** Behaviour that needs a model which follows instructions. */
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
