import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Message, ModelEvent } from '../../../contract/ports/index.ts';
import {
  completeResponse,
  callsIn,
  collectResponse,
  lookTool,
  requestOf,
} from '../../support/providers/collect-response.ts';
import {
  capabilityChecks,
  everything,
  protocolChecks,
  requestFor,
  type Check,
} from '../../support/providers/provider-checks.ts';
import { liveSubjects, subjects, type Subject } from '../../support/providers/provider-subjects.ts';
import {
  promptIn,
  statuses,
  scriptedProviders,
  waits,
  type ScriptedResponse,
  type ScriptedProvider,
} from '../../support/providers/scripted-providers.ts';

/** A live server may run a large model on a small machine. */
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

describe.each(scriptedProviders)('$name, told what to say', ({ capabilities: means, start }) => {
  /** What a provider cannot have by nature is skipped, and counted so. */
  const told = means.includes('telling') ? test : test.skip;
  const wired = means.includes('http') ? test : test.skip;
  /** Calls have the ids that the wire gave them; a script gives none. */
  const id = (given: string): unknown => (means.includes('http') ? given : expect.stringMatching(/./));

  let wire: ScriptedProvider;
  beforeAll(async () => {
    if (means.length > 0) wire = await start();
  });
  afterAll(() => wire?.server.close());

  const request = (more: Partial<Parameters<typeof requestOf>[0]> = {}) =>
    requestOf({ model: wire.model, tools: [lookTool], ...more });
  const asked = (what: ScriptedResponse) => {
    wire.respondWith(what);
    return completeResponse(wire.create(), request());
  };
  const heard = (what: ScriptedResponse, options?: { idleMs: number }) => {
    wire.respondWith(what);
    return collectResponse(wire.create(options), request());
  };

  describe('answers', () => {
    told('text arrives in the pieces in which it was sent', async () => {
      const { pieces, end } = await asked({ text: ['Hel', 'lo', '.'] });
      expect(pieces).toEqual(['Hel', 'lo', '.']);
      expect(end).toEqual({ type: 'end', parts: [{ type: 'text', text: 'Hello.' }], stopReason: 'end' });
    });

    wired.each([1, 2, 3, 7, 64])('frames and characters may be cut anywhere: %d bytes a packet', async (chunkBytes) => {
      const text = ['Größe 東', '京 🚀', '\r\n\n data: [DONE]\n\n', '"\\ \u2028 é'];
      const calls = [{ id: 'c1', tool: 'look', pieces: ['{"at":1,"', 'why":"京🚀\\n', '\\ud83d\\ude80"}'] }];
      const { pieces, end } = await asked({ text, calls, chunkBytes });
      expect(pieces).toEqual(text);
      expect(callsIn(end.parts)).toEqual([
        { type: 'tool_call', callId: 'c1', tool: 'look', arguments: { at: 1, why: '京🚀\n🚀' } },
      ]);
    });

    wired('a character that is cut between two events comes whole', async () => {
      const { pieces, end } = await asked({ text: ['a\ud83d', '\ude80b'] });
      expect(pieces.every((piece) => piece.isWellFormed())).toBe(true);
      expect(pieces.join('')).toBe('a🚀b');
      expect(end.parts).toEqual([{ type: 'text', text: 'a🚀b' }]);
    });

    told('two calls at once keep their ids, order and arguments; without arguments it is {}', async () => {
      const { end } = await asked({
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
          { type: 'tool_call', callId: id('c1'), tool: 'look', arguments: { at: 1 } },
          { type: 'tool_call', callId: id('c2'), tool: 'look', arguments: {} },
          { type: 'tool_call', callId: id('c3'), tool: 'other', arguments: {} },
        ],
      });
      expect(new Set(callsIn(end.parts).map(({ callId }) => callId)).size).toBe(3);
    });

    wired('a call under an id that the conversation has had gets another one', async () => {
      const messages: Message[] = [
        { role: 'user', text: 'Look twice.' },
        { role: 'assistant', parts: [{ type: 'tool_call', callId: 'c1', tool: 'look', arguments: { at: 1 } }] },
        { role: 'tool', results: [{ callId: 'c1', tool: 'look', output: 'a tree', isError: false }] },
      ];
      wire.respondWith({ calls: [{ id: 'c1', tool: 'look', pieces: ['{"at":2}'] }] });
      const { end } = await completeResponse(wire.create(), request({ messages }));
      expect(callsIn(end.parts)).toEqual([
        { type: 'tool_call', callId: expect.not.stringMatching(/^c1$/), tool: 'look', arguments: { at: 2 } },
      ]);
    });

    told.each(['{"at": 1', 'at 1', '[1]', '"1"', '{"at": 1}}'])(
      'arguments that are no JSON object are kept as they came: %s',
      async (malformed) => {
        const { end } = await asked({ calls: [{ id: 'c1', tool: 'look', pieces: [...malformed] }] });
        expect(end.stopReason).toBe('tools');
        expect(callsIn(end.parts)).toEqual([
          { type: 'tool_call', callId: id('c1'), tool: 'look', arguments: {}, malformed },
        ]);
      },
    );

    told.each(['end', 'max_tokens', 'refusal'] as const)('stop reason %s is passed on', async (stop) => {
      expect((await asked({ text: ['x'], stop })).end.stopReason).toBe(stop);
    });

    told('cached tokens are told apart from the others', async () => {
      const usage = { inputTokens: 40, cacheReadTokens: 1_000, outputTokens: 9 };
      expect((await asked({ text: ['x'], usage })).usage).toEqual({ ...usage, cacheWriteTokens: 0 });
    });

    told('limits of the provider come first, when it names some', async () => {
      const limits = { requestsPerMinute: 50, tokensPerMinute: 30_000, requestsLeft: 49, tokensLeft: 0 };
      const { events } = await asked({ text: ['x'], limits });
      expect(events[0]).toEqual({ type: 'limits', limits });
      expect((await asked({ text: ['x'] })).limits).toBeUndefined();
    });

    told('an answer of nothing is an answer', async () => {
      expect((await asked({})).end).toEqual({ type: 'end', parts: [], stopReason: 'end' });
    });

    told('1 MB of text comes whole', async () => {
      const text = Array.from({ length: 4_096 }, (_, i) => `${i} ${'ß🚀x'.repeat(36)}`);
      expect(Buffer.byteLength(text.join(''))).toBeGreaterThan(1_000_000);
      const { pieces } = await asked({ text });
      expect(pieces.join('') === text.join('')).toBe(true);
    });

    told('1 MB of arguments comes whole', async () => {
      const why = 'ß🚀'.repeat(200_000);
      const pieces = JSON.stringify({ why }).match(/[\s\S]{1,1000}/gu) ?? [];
      const { end } = await asked({ calls: [{ id: 'c1', tool: 'look', pieces }] });
      expect((callsIn(end.parts)[0]?.arguments as { why: string }).why === why).toBe(true);
    });
  });

  describe('what is tried again', () => {
    const unavailable = { code: 'model_unavailable' };

    told('silence from the beginning', async () => {
      const { error, events, end } = await heard({ text: ['a'], stallAfter: -1 }, { idleMs: 60 });
      expect(error).toMatchObject({ ...unavailable, message: expect.stringContaining('silent for 0.06 s') });
      expect(end).toBeUndefined();
      expect(events).toEqual([]);
    });

    wired.each([0, 2])('silence after %d pieces of text; the connection is closed', async (stallAfter) => {
      const own = await start();
      own.respondWith({ text: ['a', 'b', 'c'], stallAfter });
      const { pieces, error, end } = await collectResponse(own.create({ idleMs: 1_000 }), request());
      expect(error).toMatchObject(unavailable);
      expect(end).toBeUndefined();
      expect(pieces).toEqual(['a', 'b'].slice(0, stallAfter));
      await own.server.untilAbandoned();
      await own.server.close();
    });

    told('a stream cut in the middle; its text and tokens were told', async () => {
      const text = ['x'.repeat(400), 'y'.repeat(400), 'z'];
      const { pieces, error, end, usage } = await heard({ text, cutAfter: 2 });
      expect(error).toMatchObject(unavailable);
      expect(end).toBeUndefined();
      expect(pieces).toEqual(text.slice(0, 2));
      expect(usage?.inputTokens).toBeGreaterThan(0);
      // Four characters a token.
      expect(usage?.outputTokens).toBeGreaterThanOrEqual(200);
    });

    wired('a stream that ends in good order before the answer does', async () => {
      const { pieces, error, end } = await heard({ text: ['a', 'b', 'c'], endAfter: 2 });
      expect(error).toMatchObject(unavailable);
      expect(end).toBeUndefined();
      expect(pieces).toEqual(['a', 'b']);
    });

    wired.each([
      ['no byte', ''],
      ['no event', ': nothing\n\n'],
      ['broken JSON', 'event: message_start\ndata: {"type": "message_st\n\n'],
      ['another kind of page', '<html>Bad gateway</html>\n\n'],
    ])('a stream of %s', async (_, raw) => {
      const { error, end } = await heard({ raw });
      expect(error).toMatchObject(unavailable);
      expect(end).toBeUndefined();
    });

    wired('a connection that breaks before the first byte', async () => {
      expect((await heard({ text: ['a'], cutAfter: -1 })).error).toMatchObject(unavailable);
    });

    wired('an error inside the stream', async () => {
      expect((await heard({ text: ['a', 'b'], errorInside: true })).error).toMatchObject(unavailable);
    });

    wired('nobody listening', async () => {
      const provider = wire.create({ baseUrl: 'http://127.0.0.1:1/v1' });
      expect((await collectResponse(provider, request())).error).toMatchObject(unavailable);
    });
  });

  describe('refusals', () => {
    wired.each(statuses)('%d becomes %s after one request', async (status, code) => {
      const before = wire.server.bodies.length;
      const { error, events } = await heard({ errorResponse: { status } });
      expect(error).toMatchObject({ code });
      expect(events).toEqual([]);
      // Temporal tries again, the SDK does not.
      expect(wire.server.bodies.length).toBe(before + 1);
    });

    wired.each(waits)('%j: come back in %s ms', async (headers, retryAfterMs) => {
      for (const status of [429, 503]) {
        const { error } = await heard({ errorResponse: { status, headers: headers } });
        expect((error as { retryAfterMs?: number }).retryAfterMs).toBe(retryAfterMs);
      }
    });

    wired('retry-after as a date is a time from now', async () => {
      const headers = { 'retry-after': new Date(Date.now() + 600_000).toUTCString() };
      const { error } = await heard({ errorResponse: { status: 429, headers } });
      const { retryAfterMs = 0 } = error as { retryAfterMs?: number };
      expect(retryAfterMs).toBeGreaterThan(0);
      expect(retryAfterMs).toBeLessThanOrEqual(600_000);
    });

    wired('a wrong key is told without showing it', async () => {
      const { error } = await collectResponse(wire.create({ apiKey: 'sk-secret-wrong' }), request());
      expect(error).toMatchObject({ code: 'model_auth', message: expect.not.stringContaining('sk-secret') });
    });

    wired('a model that the provider does not have is told with what to do', async () => {
      const { error } = await collectResponse(wire.create(), request({ model: 'no-such-model' }));
      expect(error).toMatchObject({ code: 'model_rejected', message: expect.stringContaining('ALFRED_MODEL') });
    });
  });

  describe('the connection', () => {
    wired('is closed when the call is stopped', async () => {
      const own = await start();
      own.respondWith({ text: ['a', 'b'], stallAfter: 2 });
      const stopAt = (event: ModelEvent) => event.type === 'text' && event.text === 'b';
      const { pieces, error } = await collectResponse(own.create(), request(), { stopAt });
      expect(pieces).toEqual(['a', 'b']);
      expect(error).toBeDefined();
      await own.server.untilAbandoned();
      expect(own.server.bodies).toHaveLength(1);
      await own.server.close();
    });

    wired('is closed when the reader goes', async () => {
      const own = await start();
      own.respondWith({ text: ['a', 'b'], stallAfter: 1 });
      for await (const { type } of own.create().stream(request(), new AbortController().signal))
        if (type === 'text') break;
      await own.server.untilAbandoned();
      await own.server.close();
    });
  });

  wired('each prompt begins with the whole of the one before, so that caches keep hitting', async () => {
    const from = wire.server.bodies.length;
    for (const [i, { role }] of everything.entries()) {
      if (role === 'assistant') continue;
      wire.respondWith({ text: ['x'] });
      await completeResponse(wire.create(), request({ messages: everything.slice(0, i + 1) }));
    }
    const prompts = wire.server.bodies.slice(from).map(promptIn);
    expect(prompts.length).toBeGreaterThan(5);
    // Only what closes the last text and the lists around it is not part of the next.
    for (const [i, prompt] of prompts.slice(1).entries())
      expect(prompt.startsWith(String(prompts[i]).replace(/["}\]]+$/, ''))).toBe(true);
  });
});
