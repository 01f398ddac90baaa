import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { text } from 'node:stream/consumers';

export type StreamingRequest = {
  method: string;
  path: string;
  query?: Record<string, string>;
  body?: { headers: Record<string, string>; pieces: AsyncIterable<Uint8Array> };
  signal: AbortSignal;
};

type Place = { host: string; https: boolean; port: number | null; prefix: string };

/** A dead connection is noticed by this, since no time limit can tell it from a server at work. */
const keepAliveMs = 30_000;

/** `fetch` gives up on a server that takes more than five minutes to answer, as it may when it packs or unpacks a collection. */
export async function sendStreamingRequest(
  place: Place,
  key: string | undefined,
  request: StreamingRequest,
): Promise<IncomingMessage> {
  const { method, path, query = {}, body, signal } = request;
  const search = new URLSearchParams(query).toString();
  const sent = (place.https ? https : http).request({
    host: place.host.replace(/^\[|\]$/g, ''),
    port: place.port ?? (place.https ? 443 : 80),
    path: `${place.prefix}${path}${search && `?${search}`}`,
    method,
    headers: { ...(key === undefined ? {} : { 'api-key': key }), ...body?.headers },
    agent: false,
    signal,
  });
  sent.setSocketKeepAlive(true, keepAliveMs);
  const answered = once(sent, 'response') as Promise<[IncomingMessage]>;
  const written = body ? pipeline(Readable.from(body.pieces), sent, { signal }) : void sent.end();
  // A server that refuses may do so before it has read everything.
  const [response] = await Promise.race([answered, Promise.resolve(written).then(() => answered)]);
  const status = response.statusCode ?? 0;
  if (status >= 200 && status < 300) return response;
  const said = await text(response);
  sent.destroy();
  throw Object.assign(new Error(`${method} ${path}: ${status}`), { status, data: parsed(said) });
}

/** A proxy in between answers in words of its own. */
function parsed(said: string): unknown {
  try {
    return JSON.parse(said);
  } catch {
    return { status: { error: said.slice(0, 200) } };
  }
}
