import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { Readable } from 'node:stream';

/**
 * Like `fetch` for one request with a text body, but waits as long as its caller does. Node's own `fetch` gives up
 * after 300 s without a response or a piece of it, and a slow machine reads a long prompt for longer. Each request has
 * a connection of its own.
 */
export const patientFetch: typeof fetch = async (input, init = {}) => {
  const url = new URL(input instanceof Request ? input.url : input);
  const { method = 'GET', body, signal } = init;
  if (body != null && typeof body !== 'string') throw new TypeError('patientFetch sends text only');
  const answered = Promise.withResolvers<IncomingMessage>();
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
  request(url, {
    method,
    headers: Object.fromEntries(new Headers(init.headers)),
    agent: false,
    ...(signal ? { signal } : {}),
  })
    .on('error', answered.reject)
    .once('response', answered.resolve)
    .end(body ?? undefined);
  const response = await answered.promise;
  const headers = new Headers();
  for (const [name, value = ''] of Object.entries(response.headers)) headers.set(name, String(value));
  const status = response.statusCode ?? 500;
  const hasBody = status !== 204 && status !== 304;
  const stream = hasBody ? (Readable.toWeb(response) as ReadableStream<Uint8Array>) : null;
  return new Response(stream, { status, headers });
};
