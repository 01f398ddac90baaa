import { AlfredError } from './alfred-error.ts';
import { problemOf, unreachable } from './refusal.ts';

export type AlfredOptions = {
  /** Where Alfred answers, like `https://alfred.example.com`. */
  url: string | URL;
  /** Sent as bearer token. A function is called before every request, so that it can renew the token. */
  token?: string | (() => string | Promise<string>) | undefined;
  /** In place of the global `fetch`. */
  fetch?: typeof fetch | undefined;
  /** Sent with every request. */
  headers?: Record<string, string> | undefined;
  /** How long to wait for each answer, in milliseconds. Default: 30 s. */
  timeoutMs?: number | undefined;
  /** Called once an outage, when a request or stream begins to wait for the server. */
  onWait?: ((error: AlfredError) => void) | undefined;
};

/** How to reach the server. */
export type Server = AlfredOptions & { url: string; timeoutMs: number };

const defaultTimeoutMs = 30_000;

/** @throws TypeError when `url` is not the address of a server */
export function createServer(options: AlfredOptions): Server {
  const given = String(options.url);
  let url: URL;
  try {
    url = new URL(given);
  } catch (cause) {
    throw new TypeError(`url is "${given}", which is no address (expected one like https://alfred.example.com)`, {
      cause,
    });
  }
  const path = url.pathname.replace(/\/+$/, '');
  if (!/^https?:$/.test(url.protocol) || url.username + url.password !== '')
    throw new TypeError(`url must begin with http:// or https:// and have no user or password in it; use \`token\``);
  if (path.endsWith('/v1'))
    throw new TypeError(
      `url is "${given}": leave out /v1, which stands in every path (${url.origin}${path.slice(0, -3)})`,
    );
  return { ...options, url: url.origin + path, timeoutMs: options.timeoutMs ?? defaultTimeoutMs };
}

export type Call = {
  method: string;
  path: string;
  headers: Record<string, string>;
  body?: string | FormData | undefined;
};

/**
 * One attempt at a request.
 *
 * @returns the response, when its status is a success
 * @throws AlfredError for every other answer and for none
 */
export async function open(server: Server, call: Call, signal: AbortSignal): Promise<Response> {
  const token = typeof server.token === 'function' ? await server.token() : server.token;
  const headers = {
    ...server.headers,
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...call.headers,
  };
  let response: Response;
  try {
    // A redirect would turn a POST into a GET, and lead the token elsewhere.
    const init = { method: call.method, headers, body: call.body ?? null, signal, redirect: 'manual' } as const;
    response = await (server.fetch ?? fetch)(server.url + call.path, init);
  } catch (error) {
    if (signal.aborted) throw error;
    throw unreachable(server.url, error);
  }
  if (response.ok) return response;
  const text = await response.text().catch(() => '');
  throw problemOf(server.url, call, response, text);
}
