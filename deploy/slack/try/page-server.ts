import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import { parseJson } from '../../../contract/json.ts';
import type { SlackFile } from '../fake/types.ts';
import { createAct } from './act.ts';
import { createPersonView, type PersonView } from './person-view.ts';
import type { Trial } from './trial.ts';

const host = '127.0.0.1';
/** Files come as base64. */
const mostBytes = 30_000_000;
/** How often what a person sees is compared with what the page has. */
const comparedEveryMs = 100;

const files: Record<string, { name: string; type: string }> = {
  '/': { name: 'page.html', type: 'text/html; charset=utf-8' },
  '/page.css': { name: 'page.css', type: 'text/css; charset=utf-8' },
  '/page.mjs': { name: 'page.mjs', type: 'text/javascript; charset=utf-8' },
  '/show-node.mjs': { name: 'show-node.mjs', type: 'text/javascript; charset=utf-8' },
};

const headers = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};

type Exchange = { request: IncomingMessage; response: ServerResponse };

/**
 * Serves the page of a trial on loopback. It answers requests that name it by its address only, so that no page of
 * another host reaches it by a name that leads here.
 *
 * @throws Error with the code EADDRINUSE when the port is taken
 */
export async function startPageServer(trial: Trial, port: number): Promise<{ url: string; stop(): Promise<void> }> {
  const view = createPersonView(trial);
  const act = createAct(trial);
  let origins: string[] = [];

  const server = createServer((request, response) => {
    answer({ request, response }).catch((error: unknown) => {
      if (response.headersSent) {
        response.destroy();
        return;
      }
      const message =
        error instanceof z.ZodError ? 'The page sent something unknown: reload it.' : (error as Error).message;
      response.writeHead(400, { ...headers, 'content-type': 'text/plain; charset=utf-8' }).end(message);
    });
  });

  async function answer({ request, response }: Exchange): Promise<void> {
    const end = (status: number, text: string) =>
      void response.writeHead(status, { ...headers, 'content-type': 'text/plain; charset=utf-8' }).end(text);
    const { origin, host: named } = request.headers;
    if (!origins.includes(`http://${named}`)) return end(421, 'Open this page by its own address.\n');
    if (origin !== undefined && !origins.includes(origin)) return end(403, 'Another page may not use this one.\n');
    const { pathname, searchParams } = new URL(request.url ?? '/', origins[0]);
    if (request.method === 'GET' && Object.hasOwn(files, pathname)) return sendFile(pathname, response);
    const [, fileId] = /^\/files\/(F\w+)$/.exec(pathname) ?? [];
    const shared = request.method === 'GET' && fileId !== undefined ? trial.slack.file(fileId) : undefined;
    if (shared) return sendShared(shared, response);
    if (request.method === 'GET' && pathname === '/events')
      return follow({ trial, view, person: searchParams.get('as') ?? '' }, { request, response });
    if (request.method !== 'POST' || pathname !== '/act') return end(404, 'not found\n');
    // A form of another page cannot send this type.
    if (request.headers['content-type'] !== 'application/json') return end(415, 'JSON is expected here.\n');
    end(200, (await act(parseJson(await readText(request)))) ?? '');
  }

  server.listen(port, host);
  await once(server, 'listening');
  const { port: taken } = server.address() as AddressInfo;
  origins = [`http://${host}:${taken}`, `http://localhost:${taken}`];
  return {
    url: `http://${host}:${taken}`,
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

async function sendFile(path: string, response: ServerResponse): Promise<void> {
  const { name, type } = files[path]!;
  const content = await readFile(new URL(name, import.meta.url));
  response.writeHead(200, { ...headers, 'content-type': type }).end(content);
}

/** What people or Alfred have shared: the browser stores it, and opens nothing of it. */
function sendShared({ name, content }: Pick<SlackFile, 'name' | 'content'>, response: ServerResponse): void {
  const disposition = `attachment; filename*=UTF-8''${encodeURIComponent(name)}`;
  response
    .writeHead(200, { ...headers, 'content-type': 'application/octet-stream', 'content-disposition': disposition })
    .end(content);
}

async function readText(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > mostBytes) throw new Error('That is too large.');
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

type Viewer = { trial: Trial; view: PersonView; person: string };

/** Sends each part of what a person sees, and again when it has changed (server-sent events). */
function follow({ trial, view, person }: Viewer, { request, response }: Exchange): void {
  if (!trial.people.some(({ id }) => id === person)) person = trial.people[0]!.id;
  response.writeHead(200, { ...headers, 'content-type': 'text/event-stream; charset=utf-8' });
  const sent = new Map<string, string>();
  const send = (event: string, key: string, value: unknown) => {
    const data = JSON.stringify(value);
    if (sent.get(key) === data) return;
    sent.set(key, data);
    response.write(`event: ${event}\ndata: ${data}\n\n`);
  };
  const sendChanges = () => {
    // A page that does not read fast enough gets the newest state when it does.
    if (response.writableNeedDrain) return;
    for (const channel of view.channelsOf(person)) send('channel', channel.id, view.channel(channel, person));
    send('person', 'person', view.person(person));
  };
  send('start', 'start', { people: view.people, as: person, app: trial.slack.app.name });
  sendChanges();
  const timer = setInterval(sendChanges, comparedEveryMs);
  request.once('close', () => clearInterval(timer));
  response.once('close', () => clearInterval(timer));
}
