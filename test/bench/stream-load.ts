import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createParser } from 'eventsource-parser';
import { runConcurrently } from './measure.ts';

// The provider and the clients of `npm run bench -- --streams 50`, in a process of their own: their CPU time is not the
// stack's. The provider writes the current time into every piece, and the clients compare it with the time of arrival.

export type StreamLoad = { url: string; streams: number; rounds: number };
/** Milliseconds from the provider to the client: of the first piece of each answer, and of every piece. */
export type StreamResult = { firstMs: number[]; everyMs: number[]; pieces: number };

/** The provider waits before the first piece, so that the client has connected. */
const firstPieceAfterMs = 700;
const pieceIntervalMs = 30;
const pieceCount = 100;

const now = () => performance.timeOrigin + performance.now();

const provider = createServer((request, response) => {
  request.resume();
  void streamAnswer(response);
}).listen(0, '127.0.0.1');
await once(provider, 'listening');
process.send?.({ port: (provider.address() as AddressInfo).port });

process.on('message', ({ url, streams, rounds }: StreamLoad) => {
  void runConcurrently(streams * rounds, streams, () => measureTask(url)).then(({ results }) =>
    process.send?.({
      firstMs: results.map(([first = Number.NaN]) => first),
      everyMs: results.flat(),
      pieces: results.flat().length,
    } satisfies StreamResult),
  );
});

async function streamAnswer(response: ServerResponse) {
  const chunk = (delta: object, rest: object = {}) =>
    response.write(
      `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'bench', choices: [{ index: 0, delta, finish_reason: null }], ...rest })}\n\n`,
    );
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  await sleep(firstPieceAfterMs);
  for (let piece = 0; piece < pieceCount; piece++) {
    chunk({ content: `${now().toFixed(2)} ` });
    await sleep(pieceIntervalMs);
  }
  chunk({}, { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });
  chunk(
    {},
    { choices: [], usage: { prompt_tokens: 10, completion_tokens: pieceCount, total_tokens: pieceCount + 10 } },
  );
  response.end('data: [DONE]\n\n');
}

/** Follows one task. @returns the milliseconds that each piece took from the provider to the client */
async function measureTask(api: string): Promise<number[]> {
  const created = await fetch(`${api}/v1/tasks`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ input: { text: 'Tell me.' } }),
  });
  const { id } = (await created.json()) as { id: string };
  const response = await fetch(`${api}/v1/tasks/${id}/events`, { headers: { accept: 'text/event-stream' } });
  const latenciesMs: number[] = [];
  const parser = createParser({
    onEvent: ({ event, data }) => {
      if (event !== 'text.delta') return;
      const { text } = (JSON.parse(data) as { data: { text: string } }).data;
      for (const at of text.trim().split(' ')) latenciesMs.push(now() - Number(at));
    },
  });
  const decoder = new TextDecoder();
  for await (const bytes of (response.body ?? []) as AsyncIterable<Uint8Array>)
    parser.feed(decoder.decode(bytes, { stream: true }));
  return latenciesMs;
}
