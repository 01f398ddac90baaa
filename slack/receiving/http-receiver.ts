import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isRecord, parseJson, type JsonObject } from '../../contract/json.ts';
import type { SlackDelivery } from '../../contract/ports/index.ts';
import { answerProbe, type Probed } from '../../runtime/health-server.ts';
import { createLineBudget } from '../../runtime/line-budget.ts';
import type { Logger } from '../../runtime/logger.ts';
import { isFromNetworks } from '../../runtime/peer.ts';
import type { Receive } from './receive.ts';
import { isSigned, readSignature } from './signature.ts';

/** Slack sends less. */
const mostBytes = 1_000_000;
/** How long a request may take to arrive. Node looks every `checkMs` for those that are late. */
const arrival = { headersMs: 5_000, requestMs: 10_000, checkMs: 2_000 };
const eventsPath = '/slack/events';

type Deps = Probed & {
  host: string;
  port: number;
  signingSecret: string | undefined;
  maxConnections: number;
  /** From where metrics and the details of health are read. */
  networks: Parameters<typeof isFromNetworks>[1];
  receive: Receive;
  /** Pages for browsers, by path. */
  pages?: ReadonlyMap<string, (request: IncomingMessage, response: ServerResponse) => Promise<void>>;
  log: Pick<Logger, 'warn'>;
};

/** Serves `/slack/events` for what Slack sends by HTTP, the pages, and `/health`, `/healthz` and `/metrics`. */
export async function startHttpReceiver(deps: Deps): Promise<{ port: number; stop(graceMs: number): Promise<void> }> {
  const { host, port, log } = deps;
  const lines = createLineBudget();
  const { headersMs: headersTimeout, requestMs: requestTimeout, checkMs: connectionsCheckingInterval } = arrival;
  const limits = { headersTimeout, requestTimeout, connectionsCheckingInterval };
  const server = createServer(limits, (request, response) => {
    const path = request.url?.split('?')[0] ?? '';
    const answer =
      path === eventsPath
        ? answerSlack(deps, request, response)
        : (deps.pages?.get(path)?.(request, response) ?? answerOthers(deps, request, response));
    answer.catch((error: unknown) => {
      const { isWithin, leftOut } = lines.take();
      if (isWithin) log.warn({ err: error, ...(leftOut > 0 && { leftOut }) }, 'a request to the Slack door broke off');
      response.destroy();
    });
  });
  server.maxConnections = deps.maxConnections;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const problem = `The Slack door cannot listen at ${host}:${port} (${error.message}): free the port, or set SLACK_PORT.`;
      reject(Object.assign(new Error(problem, { cause: error }), { code: error.code, syscall: 'listen' }));
    });
    server.listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    async stop(graceMs) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      const cutOff = setTimeout(() => server.closeAllConnections(), graceMs);
      await closed;
      clearTimeout(cutOff);
    },
  };
}

async function answerOthers(deps: Deps, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const isNear = isFromNetworks({ headers: request.headers, raw: request }, deps.networks);
  const { status, type, body } = await answerProbe(deps, request.url?.split('?')[0] ?? '', { isNear });
  response.writeHead(status, { 'content-type': type }).end(body);
}

async function answerSlack(
  { signingSecret, receive, metrics }: Deps,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const end = (status: number, text = ''): void =>
    void response.writeHead(status, { 'content-type': 'text/plain' }).end(text);
  const refuse = () => {
    metrics.slackEvents.inc({ transport: 'http', kind: 'unknown', outcome: 'refused' });
    end(401, 'The request is not signed with SLACK_SIGNING_SECRET, or its time is not now.\n');
  };
  const { method, headers } = request;
  if (method !== 'POST') return end(405, 'POST is expected here.\n');
  // What the headers decide is decided before the body: Node drops what still comes of it.
  if (Number(headers['content-length'] ?? 0) > mostBytes) return end(413, 'The body is too large.\n');
  if (!signingSecret || !readSignature(headers)) return refuse();
  const rawBody = await readBody(request);
  if (rawBody === undefined) return end(413, 'The body is too large.\n');
  if (!isSigned({ headers, rawBody }, signingSecret)) return refuse();
  const sent = readSent(rawBody.toString('utf8'), request.headers['content-type'] ?? '');
  if (sent === undefined) return end(400, 'The body is not what Slack sends.\n');
  const { type, challenge } = sent.body;
  if (type === 'url_verification') return end(200, typeof challenge === 'string' ? challenge : '');
  // Slack asks whether the address has a certificate.
  if (sent.body.ssl_check === '1') return end(200);
  const isStored = await receive({ ...sent, transport: 'http', acknowledge: () => void end(200) });
  if (!isStored) end(503, 'The database is away. Send it again.\n');
}

/** @returns undefined when it is too large */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    // All is read: a client that still writes would not read the answer.
    if (bytes <= mostBytes) parts.push(part);
  }
  return bytes <= mostBytes ? Buffer.concat(parts) : undefined;
}

/** Events are JSON, commands a form, and all else JSON in the field `payload` of a form. */
function readSent(text: string, type: string): { kind: SlackDelivery['kind']; body: JsonObject } | undefined {
  if (!type.startsWith('application/x-www-form-urlencoded')) {
    const body = parseJson(text);
    return isRecord(body) ? { kind: 'event', body: body as JsonObject } : undefined;
  }
  const form = new URLSearchParams(text);
  const payload = form.get('payload');
  if (payload === null) return { kind: 'command', body: Object.fromEntries(form) };
  const body = parseJson(payload);
  return isRecord(body) ? { kind: 'interactive', body: body as JsonObject } : undefined;
}
