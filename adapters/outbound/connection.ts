import { request as httpRequest, type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Destination } from './destination.ts';
import type { SsrfGuard } from './ssrf-guard.ts';

/**
 * One HTTP request over its own connection, in two steps: `open` connects and sends nothing, `send` sends the request.
 * An abort of `signal` closes the connection at any time.
 */
export function createConnection(signal: AbortSignal) {
  let request: ClientRequest | undefined;
  const failure = Promise.withResolvers<never>();
  // It may reject between the two steps, when nothing awaits it.
  failure.promise.catch(() => {});
  const stop = () => {
    failure.reject(signal.reason);
    request?.destroy();
  };
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop);

  async function connect(destination: Destination, guard: SsrfGuard, options: RequestOptions): Promise<void> {
    const { url, isSecure } = destination;
    const route = await guard(destination);
    if (signal.aborted) return;
    const connected = Promise.withResolvers<void>();
    request = (isSecure ? httpsRequest : httpRequest)(url, { ...options, ...route })
      .on('error', failure.reject)
      .once('socket', (socket) => socket.once(isSecure ? 'secureConnect' : 'connect', connected.resolve));
    await connected.promise;
  }

  return {
    open: (destination: Destination, guard: SsrfGuard, options: RequestOptions) =>
      Promise.race([failure.promise, connect(destination, guard, options)]),
    isBroken: () => !request || request.destroyed,
    send(body: string | Uint8Array): Promise<IncomingMessage> {
      const response = Promise.withResolvers<IncomingMessage>();
      request?.once('response', response.resolve).end(body);
      return Promise.race([failure.promise, response.promise]);
    },
    close() {
      signal.removeEventListener('abort', stop);
      request?.destroy();
    },
  };
}
