import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Message } from '../../../contract/ports/index.ts';
import { callsIn, completeResponse } from '../../support/providers/collect-response.ts';
import { capabilityChecks } from '../../support/providers/capability-checks.ts';
import { everything, protocolChecks } from '../../support/providers/protocol-checks.ts';
import type { Check } from '../../support/providers/check.ts';
import { requestFor } from '../../support/providers/provider-checks.ts';
import { liveSubjects, subjects, type Subject } from '../../support/providers/provider-subjects.ts';
import { cacheablePrompt } from '../../support/providers/provider-expectations.ts';
import { scriptedProviders } from '../../support/providers/scripted-providers.ts';
import { setUpScriptedProvider } from './scripted-provider-harness.ts';

/** Timeout of a check, in milliseconds. A live server may run a large model on a small machine. */
const liveMs = 300_000;

describe.each([...subjects, ...liveSubjects])('$name', (subject: Subject) => {
  let started: Awaited<ReturnType<Subject['start']>>;
  beforeAll(async () => {
    if (!subject.absent) started = await subject.start();
  });
  afterAll(() => started?.close());

  const run = (check: Check) => {
    const applies = !subject.absent && !(check.needs && subject.lacks?.includes(check.needs));
    const title = subject.absent ? `${check.title} (${subject.absent})` : check.title;
    (applies ? test : test.skip)(title, () => check.holds(started.provider, requestFor(check, started.model)), liveMs);
  };
  describe('the protocol', () => protocolChecks.forEach(run));
  describe('a capable model', () => capabilityChecks.forEach(run));
});

describe.each(scriptedProviders)('$name, scripted', (scriptedProvider) => {
  const { testScripted, testHttp, provider, request, storedId, complete } = setUpScriptedProvider(scriptedProvider);

  describe('answers', () => {
    testScripted('text arrives in the pieces in which it was sent', async () => {
      const { pieces, end } = await complete({ text: ['Hel', 'lo', '.'] });
      expect(pieces).toEqual(['Hel', 'lo', '.']);
      expect(end).toEqual({ type: 'end', parts: [{ type: 'text', text: 'Hello.' }], stopReason: 'end' });
    });

    testHttp.each([1, 2, 3, 7, 64])(
      'frames and characters may be split anywhere: %d bytes a packet',
      async (chunkBytes) => {
        const text = ['Größe 東', '京 🚀', '\r\n\n data: [DONE]\n\n', '"\\ \u2028 é'];
        const calls = [{ id: 'c1', tool: 'look', pieces: ['{"at":1,"', 'why":"京🚀\\n', '\\ud83d\\ude80"}'] }];
        const { pieces, end } = await complete({ text, calls, chunkBytes });
        expect(pieces).toEqual(text);
        expect(callsIn(end.parts)).toEqual([
          { type: 'tool_call', callId: 'c1', tool: 'look', arguments: { at: 1, why: '京🚀\n🚀' } },
        ]);
      },
    );

    testHttp('a character that is split between two events arrives whole', async () => {
      const { pieces, end } = await complete({ text: ['a\ud83d', '\ude80b'] });
      expect(pieces.every((piece) => piece.isWellFormed())).toBe(true);
      expect(pieces.join('')).toBe('a🚀b');
      expect(end.parts).toEqual([{ type: 'text', text: 'a🚀b' }]);
    });

    testHttp.each([
      [['<think>Passage [7]', ' is it.</think>\n\nYes', ' [1].'], 'Yes [1].'],
      [['<', 'thin', 'king>Hm.</thin', 'king>', '\n', 'Yes [1].'], 'Yes [1].'],
      [['\n<think>', 'never closed [7]'], ''],
    ])('thinking at the beginning of a text is not part of the answer: %j', async (text, answer) => {
      const { text: streamed, end } = await complete({ text });
      expect(streamed).toBe(answer);
      expect(end.parts).toEqual(answer ? [{ type: 'text', text: answer }] : []);
    });

    testScripted('parallel calls keep their ids, order and arguments, and missing arguments become {}', async () => {
      const { end } = await complete({
        text: ['I look.'],
        calls: [
          { id: 'c1', tool: 'look', pieces: ['{"a', 't":', '1}'] },
          { id: 'c2', tool: 'look', pieces: [] },
          { id: 'c3', tool: 'other', pieces: ['null'] },
        ],
      });
      expect(end).toEqual({
        type: 'end',
        stopReason: 'tools',
        parts: [
          { type: 'text', text: 'I look.' },
          { type: 'tool_call', callId: storedId('c1'), tool: 'look', arguments: { at: 1 } },
          { type: 'tool_call', callId: storedId('c2'), tool: 'look', arguments: {} },
          { type: 'tool_call', callId: storedId('c3'), tool: 'other', arguments: {} },
        ],
      });
      expect(new Set(callsIn(end.parts).map(({ callId }) => callId)).size).toBe(3);
    });

    testHttp('a call with an id that the conversation already contains gets another id', async () => {
      const messages: Message[] = [
        { role: 'user', text: 'Look twice.' },
        { role: 'assistant', parts: [{ type: 'tool_call', callId: 'c1', tool: 'look', arguments: { at: 1 } }] },
        { role: 'tool', results: [{ callId: 'c1', tool: 'look', output: 'a tree', isError: false }] },
      ];
      provider().respondWith({ calls: [{ id: 'c1', tool: 'look', pieces: ['{"at":2}'] }] });
      const { end } = await completeResponse(provider().create(), request({ messages }));
      expect(callsIn(end.parts)).toEqual([
        { type: 'tool_call', callId: expect.not.stringMatching(/^c1$/), tool: 'look', arguments: { at: 2 } },
      ]);
    });

    testScripted.each(['{"at": 1', 'at 1', '[1]', '"1"', '{"at": 1}}'])(
      'arguments that are not a JSON object are stored unchanged: %s',
      async (malformed) => {
        const { end } = await complete({ calls: [{ id: 'c1', tool: 'look', pieces: [...malformed] }] });
        expect(end.stopReason).toBe('tools');
        expect(callsIn(end.parts)).toEqual([
          { type: 'tool_call', callId: storedId('c1'), tool: 'look', arguments: {}, malformed },
        ]);
      },
    );

    testScripted.each(['end', 'max_tokens', 'refusal'] as const)('stop reason %s is passed on', async (stop) => {
      expect((await complete({ text: ['x'], stop })).end.stopReason).toBe(stop);
    });

    testScripted('cached tokens are counted separately', async () => {
      const usage = { inputTokens: 40, cacheReadTokens: 1_000, outputTokens: 9 };
      expect((await complete({ text: ['x'], usage })).usage).toEqual({ ...usage, cacheWriteTokens: 0 });
    });

    testScripted('rate limits come first, if the provider reports any', async () => {
      const limits = { requestsPerMinute: 50, tokensPerMinute: 30_000, requestsLeft: 49, tokensLeft: 0 };
      const { events } = await complete({ text: ['x'], limits });
      expect(events[0]).toEqual({ type: 'limits', limits });
      expect((await complete({ text: ['x'] })).limits).toBeUndefined();
    });

    testScripted('an empty answer is complete', async () => {
      expect((await complete({})).end).toEqual({ type: 'end', parts: [], stopReason: 'end' });
    });

    testScripted('1 MB of text arrives complete', async () => {
      const text = Array.from({ length: 4_096 }, (_, i) => `${i} ${'ß🚀x'.repeat(36)}`);
      expect(Buffer.byteLength(text.join(''))).toBeGreaterThan(1_000_000);
      const { pieces } = await complete({ text });
      expect(pieces.join('') === text.join('')).toBe(true);
    });

    testScripted('1 MB of arguments arrives complete', async () => {
      const why = 'ß🚀'.repeat(200_000);
      const pieces = JSON.stringify({ why }).match(/[\s\S]{1,1000}/gu) ?? [];
      const { end } = await complete({ calls: [{ id: 'c1', tool: 'look', pieces }] });
      expect((callsIn(end.parts)[0]?.arguments as { why: string }).why === why).toBe(true);
    });
  });

  testHttp('each prompt starts with the whole previous prompt, so that provider caches keep working', async () => {
    const from = provider().server.bodies.length;
    for (const [i, { role }] of everything.entries()) {
      if (role === 'assistant') continue;
      provider().respondWith({ text: ['x'] });
      await completeResponse(provider().create(), request({ messages: everything.slice(0, i + 1) }));
    }
    const prompts = provider().server.bodies.slice(from).map(cacheablePrompt);
    expect(prompts.length).toBeGreaterThan(5);
    // Only the closing characters of the last text and of the lists around it differ.
    for (const [i, prompt] of prompts.slice(1).entries())
      expect(prompt.startsWith(String(prompts[i]).replace(/["}\]]+$/, ''))).toBe(true);
  });
});
