import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { text } from 'node:stream/consumers';
import { parseJson } from '../../../contract/json.ts';

/** @property path below the server's address */
export type StreamingRequest = {
  method: string;
  path: string;
  query?: Record<string, string>;
  body?: { headers: Record<string, string>; pieces: AsyncIterable<Uint8Array> };
  signal: AbortSignal;
};

/**
 * @property port   null: the default port of the protocol
 * @property prefix of every path
 */
type ServerAddress = { host: string; https: boolean; port: number | null; prefix: string };

/** TCP keep-alive detects a dead connection. A time limit could not tell it from a server that is still working. */
const keepAliveMs = 30_000;

/**
 * Sends a request without a time limit. `fetch` gives up after five minutes without an answer, but a server may take
 * longer to pack or unpack a collection.
 *
 * @throws Error with `status` and `data`, as the Qdrant client's errors have, when the status is not 2xx
 */
export async function sendStreamingRequest(
  address: ServerAddress,
  key: string | undefined,
  { method, path, query = {}, body, signal }: StreamingRequest,
): Promise<IncomingMessage> {
  const search = new URLSearchParams(query).toString();
  const request = (address.https ? https : http).request({
    host: address.host.replace(/^\[|\]$/g, ''),
    port: address.port ?? (address.https ? 443 : 80),
    path: `${address.prefix}${path}${search && `?${search}`}`,
    method,
    headers: { ...(key === undefined ? {} : { 'api-key': key }), ...body?.headers },
    agent: false,
    signal,
  });
  request.setSocketKeepAlive(true, keepAliveMs);
  const responded = once(request, 'response') as Promise<[IncomingMessage]>;
  const written = body ? pipeline(Readable.from(body.pieces), request, { signal }) : void request.end();
  // A server may refuse the request before it has read the whole body.
  const [response] = await Promise.race([responded, Promise.resolve(written).then(() => responded)]);
  const status = response.statusCode ?? 0;
  if (status >= 200 && status < 300) return response;
  const data = parseBody(await text(response));
  request.destroy();
  throw Object.assign(new Error(`${method} ${path}: ${status}`), { status, data });
}

/** A proxy in front of the server may answer with something else than JSON. */
function parseBody(body: string): unknown {
  const parsed = parseJson(body);
  return parsed === undefined ? { status: { error: body.slice(0, 200) } } : parsed;
}
