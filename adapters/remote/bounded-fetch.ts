import { AlfredError } from '../../contract/errors.ts';
import { retryAfterHeaderMs } from '../outbound/retry-after.ts';

/** No response of a remote agent may be longer, in bytes. */
export const maxResponseBytes = 8_000_000;

/** Faults before a request leaves this machine, or that a server answers instead of taking it. */
const nothingSent: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

/** Faults of the network that say the same only while a connection is opened: it can also break with them. */
const unreachable: ReadonlySet<unknown> = new Set(['EHOSTUNREACH', 'ENETUNREACH']);

/** Whether a server says that it did not take the request. A proxy also answers 503 when a server broke off. */
const isNotTaken = ({ status, headers }: Response) => status === 429 || (status === 503 && headers.has('retry-after'));

/**
 * `fetch` for remote agents. It follows no redirection, because the request carries a secret, and it ends a response
 * that is too long.
 *
 * @throws AlfredError `remote_unavailable`: nothing was done there. `effect_unknown`: the request may have been taken.
 *   `remote_refused`: the answer says no
 */
export const createBoundedFetch =
  (agent: string, maxBytes = maxResponseBytes): typeof fetch =>
  async (input, init) => {
    let response: Response;
    try {
      response = await fetch(input, { ...init, redirect: 'manual' });
    } catch (error) {
      if (init?.signal?.aborted) throw error;
      throw failedRequest(agent, error);
    }
    const { status, headers } = response;
    if (status >= 300 && status !== 401) checkStatus(agent, response);
    return new Response(bounded(agent, response.body, maxBytes), { status, headers });
  };

function failedRequest(agent: string, error: unknown): AlfredError {
  const { code, syscall } = faultIn(error);
  if (nothingSent.has(code) || (unreachable.has(code) && syscall === 'connect'))
    return new AlfredError('remote_unavailable', `The remote agent ${agent} cannot be reached (${String(code)}).`, {
      cause: error,
    });
  return new AlfredError('effect_unknown', `The connection to the remote agent ${agent} broke before its answer.`, {
    cause: error,
  });
}

type NetworkFault = { code?: unknown; syscall?: unknown };

/** The fault of the network, which is the cause, or the first of the causes of several attempts. */
function faultIn(error: unknown): NetworkFault {
  const { cause } = error as { cause?: NetworkFault & { errors?: NetworkFault[] } };
  return cause?.errors?.[0] ?? cause ?? {};
}

/** @throws AlfredError for an answer with this status. A refusal as JSON is left to the protocol. */
function checkStatus(agent: string, response: Response): void {
  const { status, headers, body } = response;
  const isJson = headers.get('content-type')?.includes('json') ?? false;
  if (status >= 400 && status < 500 && status !== 429 && status !== 403 && isJson) return;
  void body?.cancel().catch(() => {});
  if (isNotTaken(response)) {
    const retryAfter = headers.get('retry-after');
    throw new AlfredError('remote_unavailable', `The remote agent ${agent} takes no request at present (${status}).`, {
      ...(retryAfter === null ? {} : { retryAfterMs: retryAfterHeaderMs(retryAfter) }),
    });
  }
  if (status >= 500)
    throw new AlfredError('effect_unknown', `The remote agent ${agent} answered with an error of its own (${status}).`);
  throw new AlfredError('remote_refused', refusalOf(agent, status));
}

function refusalOf(agent: string, status: number): string {
  if (status < 400)
    return `The remote agent ${agent} sends requests on to another address (${status}): give ALFRED_REMOTE_AGENTS the address that answers.`;
  if (status === 403) return `The remote agent ${agent} forbids the request (403): look at what its credentials allow.`;
  return `The remote agent ${agent} refused the request (${status}).`;
}

function bounded(agent: string, body: Response['body'], maxBytes: number): Response['body'] {
  if (body === null) return null;
  let received = 0;
  const limit = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
    transform(chunk, controller) {
      received += chunk.byteLength;
      if (received > maxBytes) controller.error(tooLong(agent, maxBytes));
      else controller.enqueue(chunk);
    },
  });
  return body.pipeThrough(limit);
}

const tooLong = (agent: string, maxBytes: number) =>
  new AlfredError(
    'remote_failed',
    `The answer of the remote agent ${agent} was cut off: it is longer than ${maxBytes / 1_000_000} MB.`,
  );
