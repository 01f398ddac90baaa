import { request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { Readable } from 'node:stream';
import { beginSending } from './watch-sending.ts';

/** Routers forget a connection that carries nothing for some minutes; a silent server is then waited for in vain. */
const keepAliveMs = 60_000;

/**
 * Makes a function like `fetch` for requests with a text body, which waits as long as its caller does. Node's own
 * `fetch` gives up after 300 s without a response or a piece of it, and a slow machine reads a long prompt for longer.
 * Each request has a connection of its own. A redirect is answered as an error that names the other server.
 *
 * @param options.connectMs how long the connection may take, in milliseconds
 */
export const createPatientFetch =
  ({ connectMs = 10_000 }: { connectMs?: number } = {}): typeof fetch =>
  async (input, init = {}) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const { method = 'GET', body, signal } = init;
    if (body != null && typeof body !== 'string') throw new TypeError('createPatientFetch sends text only');
    const answered = Promise.withResolvers<IncomingMessage>();
    const isSecure = url.protocol === 'https:';
    const request = (isSecure ? httpsRequest : httpRequest)(url, {
      method,
      headers: Object.fromEntries(new Headers(init.headers)),
      agent: false,
      ...(signal ? { signal } : {}),
    })
      .on('error', answered.reject)
      .once('response', answered.resolve);
    watchConnection(request, { event: isSecure ? 'secureConnect' : 'connect', host: url.host, connectMs });
    request.end(body ?? undefined);
    const response = await answered.promise;
    const headers = new Headers();
    for (const [name, value = ''] of Object.entries(response.headers)) headers.set(name, String(value));
    const status = response.statusCode ?? 500;
    if ([301, 302, 303, 307, 308].includes(status)) return redirectError(response, url);
    const hasBody = status !== 204 && status !== 304;
    const stream = hasBody ? (Readable.toWeb(response) as ReadableStream<Uint8Array>) : null;
    return new Response(stream, { status, headers });
  };

/** Notes when the request leaves. Ends it when its connection is not made in time. */
function watchConnection(
  request: ClientRequest,
  { event, host, connectMs }: { event: 'connect' | 'secureConnect'; host: string; connectMs: number },
) {
  const noteSent = beginSending();
  const seconds = connectMs / 1_000;
  const timer = setTimeout(
    () => request.destroy(new Error(`The connection to ${host} was not made within ${seconds} s.`)),
    connectMs,
  );
  request.once('close', () => clearTimeout(timer));
  request.once('socket', (socket) => {
    socket.setKeepAlive(true, keepAliveMs);
    socket.once(event, () => {
      clearTimeout(timer);
      noteSent();
    });
  });
}

/** The body of a redirect says nothing. This one says what to do, in the form of Chat Completions. */
function redirectError(response: IncomingMessage, url: URL): Response {
  response.resume();
  const target = URL.parse(response.headers.location ?? '', url.href);
  const message = `The server redirects requests to ${target?.host ?? 'another address'}: set the base URL to that server.`;
  return Response.json({ error: { message } }, { status: response.statusCode ?? 300 });
}
