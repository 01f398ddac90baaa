import { createServer, type AddressInfo, type Socket } from 'node:net';
import { describe, expect } from '@jest/globals';
import { AlfredError } from '../../../contract/errors.ts';
import type { ModelEvent } from '../../../contract/ports/index.ts';
import { collectResponse } from '../../support/providers/collect-response.ts';
import { codesByStatus, retryWaits } from '../../support/providers/provider-expectations.ts';
import { scriptedProviders } from '../../support/providers/scripted-providers.ts';
import { setUpScriptedProvider } from './scripted-provider-harness.ts';

// What providers do when all is well is tested in providers.conformance.test.ts.

describe.each(scriptedProviders)('$name, scripted', (scriptedProvider) => {
  const { start } = scriptedProvider;
  const { testScripted, testHttp, provider, request, collect } = setUpScriptedProvider(scriptedProvider);

  describe('retryable failures', () => {
    const unavailable = { code: 'model_unavailable' };

    testScripted('silence from the beginning', async () => {
      // The first request of a process takes its time to leave, and one that has not left costs nothing.
      await collect({ text: ['a'] });
      const { error, events, end } = await collect({ text: ['a'], stallAfter: -1 }, { idleMs: 500 });
      expect(error).toMatchObject({ ...unavailable, message: expect.stringContaining('silent for 0.5 s') });
      expect(end).toBeUndefined();
      // The provider may charge what it has read.
      expect(events).toEqual([{ type: 'uncounted' }]);
    });

    testHttp.each([0, 2])('silence after %d pieces of text, and the connection is closed', async (stallAfter) => {
      const stalled = await start();
      stalled.respondWith({ text: ['a', 'b', 'c'], stallAfter });
      const { pieces, error, end } = await collectResponse(stalled.create({ idleMs: 1_000 }), request());
      expect(error).toMatchObject(unavailable);
      expect(end).toBeUndefined();
      expect(pieces).toEqual(['a', 'b'].slice(0, stallAfter));
      await stalled.server.untilAbandoned();
      await stalled.server.close();
    });

    testScripted('a stream that breaks off, after its text and tokens were reported', async () => {
      const text = ['x'.repeat(400), 'y'.repeat(400), 'z'];
      const { pieces, error, end, usage } = await collect({ text, cutAfter: 2 });
      expect(error).toMatchObject(unavailable);
      expect(end).toBeUndefined();
      expect(pieces).toEqual(text.slice(0, 2));
      expect(usage?.inputTokens).toBeGreaterThan(0);
      // 800 characters were received, and an estimated token has four.
      expect(usage?.outputTokens).toBeGreaterThanOrEqual(200);
    });

    testHttp('a stream that ends without an error before the answer is complete', async () => {
      const { pieces, error, end } = await collect({ text: ['a', 'b', 'c'], endAfter: 2 });
      expect(error).toMatchObject(unavailable);
      expect(end).toBeUndefined();
      expect(pieces).toEqual(['a', 'b']);
    });

    testHttp.each([
      ['no bytes', ''],
      ['no events', ': nothing\n\n'],
      ['broken JSON', 'event: message_start\ndata: {"type": "message_st\n\n'],
      ['HTML', '<html>Bad gateway</html>\n\n'],
    ])('a stream of %s', async (_, raw) => {
      const { error, end } = await collect({ raw });
      expect(error).toMatchObject(unavailable);
      expect(end).toBeUndefined();
    });

    testHttp('a connection that breaks before the first byte', async () => {
      expect((await collect({ text: ['a'], cutAfter: -1 })).error).toMatchObject(unavailable);
    });

    testHttp('an error inside the stream', async () => {
      expect((await collect({ text: ['a', 'b'], errorInside: true })).error).toMatchObject(unavailable);
    });

    testHttp('a refused connection', async () => {
      const unreachable = provider().create({ baseUrl: 'http://127.0.0.1:1/v1' });
      expect((await collectResponse(unreachable, request())).error).toMatchObject(unavailable);
    });
  });

  describe('refusals', () => {
    testHttp.each(codesByStatus)('%d becomes %s after one request', async (status, code) => {
      const before = provider().server.bodies.length;
      const { error, events } = await collect({ errorResponse: { status } });
      expect(error).toMatchObject({ code });
      expect(events).toEqual([]);
      // Temporal retries; the SDK must not.
      expect(provider().server.bodies.length).toBe(before + 1);
    });

    testHttp.each(retryWaits)('%j is a wait of %s ms', async (headers, retryAfterMs) => {
      for (const status of [429, 503]) {
        const { error } = await collect({ errorResponse: { status, headers } });
        expect((error as { retryAfterMs?: number }).retryAfterMs).toBe(retryAfterMs);
      }
    });

    testHttp('retry-after may be a date', async () => {
      const headers = { 'retry-after': new Date(Date.now() + 600_000).toUTCString() };
      const { error } = await collect({ errorResponse: { status: 429, headers } });
      const { retryAfterMs = 0 } = error as { retryAfterMs?: number };
      expect(retryAfterMs).toBeGreaterThan(0);
      expect(retryAfterMs).toBeLessThanOrEqual(600_000);
    });

    testHttp('the error for a wrong key does not contain the key', async () => {
      const { error } = await collectResponse(provider().create({ apiKey: 'sk-secret-wrong' }), request());
      expect(error).toMatchObject({ code: 'model_auth', message: expect.not.stringContaining('sk-secret') });
    });

    testHttp('the error for an unknown model names the variable to check', async () => {
      const { error } = await collectResponse(provider().create(), request({ model: 'no-such-model' }));
      expect(error).toMatchObject({ code: 'model_auth', message: expect.stringContaining('ALFRED_MODEL') });
    });
  });

  describe('the connection', () => {
    testHttp('is closed when the call is aborted', async () => {
      const stalled = await start();
      stalled.respondWith({ text: ['a', 'b'], stallAfter: 2 });
      const stopAt = (event: ModelEvent) => event.type === 'text' && event.text === 'b';
      const { pieces, error, events } = await collectResponse(stalled.create(), request(), { stopAt });
      expect(pieces).toEqual(['a', 'b']);
      expect(events.at(-1)).toEqual({ type: 'uncounted' });
      expect(String(error)).toMatch(/\baborted\b/);
      await stalled.server.untilAbandoned();
      expect(stalled.server.bodies).toHaveLength(1);
      await stalled.server.close();
    });

    testHttp('that is never made costs nothing', async () => {
      const gone = await start();
      const unreachable = gone.create({ idleMs: 30_000 });
      await gone.server.close();
      const { error, events } = await collectResponse(unreachable, request());
      expect(error).toMatchObject({ code: 'model_unavailable' });
      expect(events).toEqual([]);
    });

    testHttp('whose handshake is never answered costs nothing, also when the call is given up', async () => {
      const silent = await startSilentServer();
      for (const give of ['up for its silence', 'up by its caller']) {
        const abort = new AbortController();
        const isSilent = give === 'up for its silence';
        const unconnected = provider().create({
          baseUrl: `https://127.0.0.1:${silent.port}/v1`,
          // With the longer one, another client is used.
          idleMs: isSilent ? 100 : 1_800_000,
        });
        if (!isSilent) silent.onConnection(() => abort.abort(new AlfredError('superseded')));
        const { error, events } = await collectResponse(unconnected, request(), { abort });
        expect(error).toBeDefined();
        expect(events).toEqual([]);
      }
      await silent.close();
    });

    testHttp('that is closed for a reason of ours is charged what came until then', async () => {
      const stalled = await start();
      stalled.respondWith({ text: ['a', 'b'], stallAfter: 1 });
      const abort = new AbortController();
      const reason = new AlfredError('timed_out');
      const stopAt = ({ type }: ModelEvent) => {
        if (type === 'text') abort.abort(reason);
        return false;
      };
      const { error, events } = await collectResponse(stalled.create(), request(), { abort, stopAt });
      expect(error).toBe(reason);
      expect(events.at(-1)).toEqual({ type: 'uncounted' });
      await stalled.server.close();
    });

    testHttp('is closed when the reader stops reading', async () => {
      const stalled = await start();
      stalled.respondWith({ text: ['a', 'b'], stallAfter: 1 });
      for await (const { type } of stalled.create().stream(request(), new AbortController().signal))
        if (type === 'text') break;
      await stalled.server.untilAbandoned();
      await stalled.server.close();
    });
  });
});

/** A server that takes connections and says nothing, as behind a firewall that drops what comes later. */
async function startSilentServer() {
  const sockets: Socket[] = [];
  const server = createServer((socket) => sockets.push(socket.on('error', () => {})));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    onConnection: (listener: () => void) => void server.on('connection', listener),
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
