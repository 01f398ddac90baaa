import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate as nextRound } from 'node:timers/promises';

/** What is unusual about a streamed response, or goes wrong with it. The same for every protocol. */
export type StreamFaults = {
  /** Response headers. */
  headers?: Record<string, string>;
  /** Bytes a write. Frames and characters may be cut anywhere. Default: one frame a write. */
  chunkBytes?: number;
  /** Breaks the connection after this many frames. */
  cutAfter?: number;
  /** Ends the response normally after this many frames, as if it were complete. */
  endAfter?: number;
  /** Sends nothing after this many frames. The connection stays open until the client closes it. */
  stallAfter?: number;
  /** Sent in place of all frames, byte for byte. */
  raw?: string;
};

export type Reply =
  | { status: number; headers?: Record<string, string> | undefined; json: unknown }
  | { frames: Iterable<string>; wire: StreamFaults };

export type WireServer = Awaited<ReturnType<typeof startWireServer>>;

/** An HTTP server on loopback that answers with `reply` and records the request bodies, byte for byte. */
export async function startWireServer(reply: (request: IncomingMessage, body: string) => Reply) {
  const bodies: string[] = [];
  const watchers = new Set<() => void>();
  let abandoned = 0;

  async function answer(request: IncomingMessage, response: ServerResponse) {
    const read: Buffer[] = [];
    for await (const piece of request) read.push(piece as Buffer);
    const body = Buffer.concat(read).toString('utf8');
    bodies.push(body);
    const replied = reply(request, body);
    if ('json' in replied) {
      response.writeHead(replied.status, { 'content-type': 'application/json', ...replied.headers });
      return void response.end(JSON.stringify(replied.json));
    }
    const outcome = await stream(response, replied.frames, replied.wire);
    if (outcome === 'cut') return void response.destroy();
    if (outcome === 'sent') return void response.end();
    abandoned++;
    for (const watch of watchers) watch();
  }

  const server = createServer({ noDelay: true }, (request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** The bodies of all requests so far, also of refused ones. */
    bodies,
    /** Resolves when clients have closed this many connections before their response ended, since the start. */
    untilAbandoned: (times = 1) =>
      new Promise<void>((resolve) => {
        const watch = () => {
          if (abandoned < times) return;
          watchers.delete(watch);
          resolve();
        };
        watchers.add(watch);
        watch();
      }),
    close: () => new Promise<void>((resolve) => server.close(() => resolve()).closeAllConnections()),
  };
}

async function stream(
  response: ServerResponse,
  frames: Iterable<string>,
  { headers, chunkBytes, cutAfter, endAfter, stallAfter, raw }: StreamFaults,
): Promise<'sent' | 'cut' | 'abandoned'> {
  const closed = new Promise<void>((resolve) => void response.once('close', resolve));
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', ...headers });
  response.flushHeaders();
  let sent = 0;
  for (const frame of raw === undefined ? frames : [raw]) {
    if (sent === cutAfter) return 'cut';
    if (sent === endAfter) return 'sent';
    if (sent === stallAfter) break;
    const bytes = Buffer.from(frame);
    for (let at = 0; at < bytes.length; at += chunkBytes ?? bytes.length) {
      if (response.destroyed) return 'abandoned';
      const room = response.write(bytes.subarray(at, at + (chunkBytes ?? bytes.length)));
      // One turn of the event loop for each write, so that each leaves in a packet of its own.
      if (room) await nextRound();
      else await Promise.race([closed, new Promise((resolve) => response.once('drain', resolve))]);
    }
    sent++;
  }
  if (stallAfter === undefined) return 'sent';
  await closed;
  return 'abandoned';
}

/** One server-sent event. */
export const frame = (data: unknown, event?: string) =>
  `${event ? `event: ${event}\n` : ''}data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;

/** Whether a JSON value contains a lone surrogate, which strict servers refuse. */
export const holdsHalfCharacter = (value: unknown): boolean => {
  if (typeof value === 'string') return !value.isWellFormed();
  return typeof value === 'object' && value !== null && Object.values(value).some(holdsHalfCharacter);
};
