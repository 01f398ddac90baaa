import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createParser } from 'eventsource-parser';
import { run } from './measure.ts';

// The provider and the readers of `npm run bench -- --streams 50`, in a process of their own so that its CPU time is not
// the stack's. The provider writes the time into every piece, the readers compare it with the time at which it comes.

export type StreamLoad = { url: string; streams: number; rounds: number };
export type Streamed = { firstMs: number[]; everyMs: number[]; pieces: number };

/** Before the first piece, so that the reader is there; a piece every so often; milliseconds. */
const firstMs = 700;
const everyMs = 30;
const pieces = 100;

const now = () => performance.timeOrigin + performance.now();

const provider = createServer((request, response) => {
  request.resume();
  void write(response);
}).listen(0, '127.0.0.1');
await once(provider, 'listening');
process.send?.({ port: (provider.address() as AddressInfo).port });

process.on('message', ({ url, streams, rounds }: StreamLoad) => {
  void run(streams * rounds, streams, () => follow(url)).then(({ results }) =>
    process.send?.({
      firstMs: results.map(([first = Number.NaN]) => first),
      everyMs: results.flat(),
      pieces: results.flat().length,
    } satisfies Streamed),
  );
});

async function write(response: ServerResponse) {
  const chunk = (delta: object, rest: object = {}) =>
    response.write(
      `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'bench', choices: [{ index: 0, delta, finish_reason: null }], ...rest })}\n\n`,
    );
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  await sleep(firstMs);
  for (let piece = 0; piece < pieces; piece++) {
    chunk({ content: `${now().toFixed(2)} ` });
    await sleep(everyMs);
  }
  chunk({}, { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });
  chunk({}, { choices: [], usage: { prompt_tokens: 10, completion_tokens: pieces, total_tokens: pieces + 10 } });
  response.end('data: [DONE]\n\n');
}

/** @returns for every piece of one answer how long it took from the provider to the reader, in milliseconds */
async function follow(api: string): Promise<number[]> {
  const created = await fetch(`${api}/v1/tasks`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ input: { text: 'Tell me.' } }),
  });
  const { id } = (await created.json()) as { id: string };
  const response = await fetch(`${api}/v1/tasks/${id}/events`, { headers: { accept: 'text/event-stream' } });
  const took: number[] = [];
  const parser = createParser({
    onEvent: ({ event, data }) => {
      if (event !== 'text.delta') return;
      const { text } = (JSON.parse(data) as { data: { text: string } }).data;
      for (const at of text.trim().split(' ')) took.push(now() - Number(at));
    },
  });
  const decoder = new TextDecoder();
  for await (const bytes of (response.body ?? []) as AsyncIterable<Uint8Array>)
    parser.feed(decoder.decode(bytes, { stream: true }));
  return took;
}
