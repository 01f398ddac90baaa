import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe } from 'node:diagnostics_channel';

/** A request of a call. `hasLeft`: its connection was made, TLS included, and it was written. */
type Sending = { hasLeft: boolean };

const sendings = new AsyncLocalStorage<Sending>();
let isSubscribed = false;

/**
 * Tells whether the newest request that `send` makes has left this machine. Errors do not say it: SDKs drop their
 * causes, and the codes of a connection that was never made differ by system, protocol and number of addresses.
 */
export function watchSending() {
  subscribeToFetch();
  const sending: Sending = { hasLeft: false };
  return {
    send: <T>(send: () => T): T => sendings.run(sending, send),
    hasLeft: () => sending.hasLeft,
  };
}

/** To be called by an HTTP client when it makes a request. @returns to be called when the request leaves */
export function beginSending(): () => void {
  const sending = sendings.getStore();
  // Of several requests of a call, those before were answered: with a redirect, or with an error.
  if (sending) sending.hasLeft = false;
  return () => {
    if (sending) sending.hasLeft = true;
  };
}

/** Node's own `fetch` reports each request that it makes, and again when it writes it to a connection. */
function subscribeToFetch() {
  if (isSubscribed) return;
  isSubscribed = true;
  const left = new WeakMap<object, () => void>();
  subscribe('undici:request:create', (message) => {
    const { request } = message as Reported;
    // A proxy is asked for a connection by a request of its own.
    if (request.method !== 'CONNECT') left.set(request, beginSending());
  });
  subscribe('undici:client:sendHeaders', (message) => left.get((message as Reported).request)?.());
}

type Reported = { request: { method: string } };
