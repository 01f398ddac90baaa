import { AlfredError } from './alfred-error.ts';
import { createBackoff } from './backoff.ts';
import { createDeadline } from './deadline.ts';
import { fillPath } from './fill-path.ts';
import { randomId } from './random-id.ts';
import { noAnswer, notAlfred, unreachable } from './refusal.ts';
import { isRepeatable, takesKey, type Answer, type CallOptions, type RequestArguments, type Route } from './routes.ts';
import { open, type Call, type Server } from './server.ts';

/** How long a request is repeated while no server answers. Long enough for a restart, short for a wrong address. */
const defaultGiveUpAfterMs = 15_000;

/** What `request` reads of its options: the types of the routes are for callers. */
type Given = {
  path?: Record<string, unknown>;
  query?: Record<string, unknown>;
  body?: unknown;
  headers?: Record<string, string>;
  idempotencyKey?: string;
  waitS?: number;
  signal?: AbortSignal;
  timeoutMs?: number;
  giveUpAfterMs?: number;
};

/**
 * Calls an operation. While no server answers, or it is overloaded, the request is repeated if a repeat is safe.
 *
 * @throws AlfredError, or the reason of `signal`
 */
export async function request<R extends Route>(
  server: Server,
  route: R,
  ...[options]: RequestArguments<R>
): Promise<Answer<R>> {
  const given = (options ?? {}) as Given;
  const call = callOf(route, given);
  const { signal, giveUpAfterMs = defaultGiveUpAfterMs } = given;
  const timeoutMs = (given.timeoutMs ?? server.timeoutMs) + (given.waitS ?? 0) * 1_000;
  const backoff = createBackoff({ giveUpAfterMs, signal, onWait: server.onWait });
  let mayHaveRun = false;
  while (true) {
    signal?.throwIfAborted();
    try {
      return (await attempt(server, call, { signal, timeoutMs }, readJson)) as Answer<R>;
    } catch (error) {
      if (!(error instanceof AlfredError)) throw error;
      // The attempt before deleted it, and its answer was lost.
      if (mayHaveRun && call.method === 'DELETE' && error.code === 'not_found') return undefined as Answer<R>;
      // 429 says that nothing was done; every other failure leaves that open.
      if (!error.retryable || (error.status !== 429 && !isRepeatable(route))) throw error;
      mayHaveRun ||= error.status !== 429;
      await backoff.wait(error);
    }
  }
}

/**
 * Reads an address whose answer is a file. Repeated as any request that changes nothing.
 *
 * @throws AlfredError, or the reason of `signal`
 */
export async function requestBytes(
  server: Server,
  path: string,
  { signal, timeoutMs = server.timeoutMs, giveUpAfterMs = defaultGiveUpAfterMs }: CallOptions,
): Promise<Uint8Array> {
  const call = { method: 'GET', path, headers: { accept: '*/*' } };
  const backoff = createBackoff({ giveUpAfterMs, signal, onWait: server.onWait });
  while (true) {
    signal?.throwIfAborted();
    try {
      return await attempt(
        server,
        call,
        { signal, timeoutMs },
        async (response) => new Uint8Array(await response.arrayBuffer()),
      );
    } catch (error) {
      if (!(error instanceof AlfredError) || !error.retryable) throw error;
      await backoff.wait(error);
    }
  }
}

type Limits = { signal: AbortSignal | undefined; timeoutMs: number };

async function attempt<T>(
  server: Server,
  call: Call,
  { signal, timeoutMs }: Limits,
  read: (response: Response, toError: () => AlfredError) => Promise<T>,
): Promise<T> {
  const deadline = createDeadline(signal);
  try {
    return await deadline.within(timeoutMs, async () => {
      const response = await open(server, call, deadline.signal);
      return await read(response, () => notAlfred(server.url, call, 'answered no JSON')).catch((error: unknown) => {
        throw error instanceof AlfredError ? error : unreachable(server.url, error);
      });
    });
  } catch (error) {
    throw deadline.isTooLate() ? noAnswer(server.url, call, timeoutMs) : error;
  } finally {
    deadline.close();
  }
}

async function readJson(response: Response, toError: () => AlfredError): Promise<unknown> {
  return response.status === 204 ? undefined : parse(await response.text(), toError);
}

function parse(text: string, toError: () => AlfredError): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw toError();
  }
}

function callOf(route: Route, given: Given): Call {
  const [method = '', template = ''] = route.split(' ');
  const { query = {}, waitS } = given;
  const search = new URLSearchParams(
    Object.entries(query).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, textOf(value)] as [string, string]],
    ),
  ).toString();
  const path = fillPath(template, given.path);
  const body = route === 'POST /v1/conversations/{id}/messages' ? withId(given.body) : given.body;
  const isForm = body instanceof FormData;
  return {
    method,
    path: search === '' ? path : `${path}?${search}`,
    body: isForm ? body : body === undefined ? undefined : JSON.stringify(body),
    headers: {
      accept: 'application/json',
      ...(body === undefined || isForm ? {} : { 'content-type': 'application/json' }),
      ...(takesKey(route) ? { 'idempotency-key': given.idempotencyKey ?? randomId() } : {}),
      ...(waitS === undefined ? {} : { prefer: `wait=${waitS}` }),
      ...given.headers,
    },
  };
}

/** A list in a query is one text with commas. */
const textOf = (value: unknown) => (Array.isArray(value) ? value.join(',') : String(value));

/** A message with an id can be sent again. */
const withId = (body: unknown) => ({ id: randomId(), ...(body as object) });
