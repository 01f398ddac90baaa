import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { AlfredError } from '../../contract/errors.ts';
import { linkAbort } from '../../runtime/link-abort.ts';
import { version } from '../../runtime/version.ts';
import { createConnection } from './connection.ts';
import { noPublicAddressError, parseDestination, type Destination } from './destination.ts';
import { createSsrfGuard, isFilterRefusal, type ResolveHost } from './ssrf-guard.ts';

export type OutboundCall = {
  /** An address that comes from outside: from a model, an API caller or a document. */
  url: string;
  method: 'GET' | 'POST';
  headers?: Record<string, string>;
  body?: string | Uint8Array;
  signal: AbortSignal;
  /** Runs after the connection is open and before anything is sent. */
  beforeSend?: (() => Promise<void>) | undefined;
};

export type OutboundResponse = {
  status: number;
  headers: IncomingHttpHeaders;
  /** The body, or its beginning if `ending` is not `whole`. */
  bytes: Buffer;
  /** `cut`: the body exceeds the limit. `broken`: the receiver closed the connection, or the time was over. */
  ending: 'whole' | 'cut' | 'broken';
  /** `bytes` as UTF-8. */
  readonly text: string;
};

type Options = {
  /** IP addresses and ranges that may be called although they are not public. */
  allow: readonly string[];
  /** Timeout of the whole call, in milliseconds. */
  timeoutMs?: number;
  /** Longest body that is read, in bytes. The rest is dropped. */
  maxBytes?: number;
  resolve?: ResolveHost;
};

/**
 * The only way to call an address that comes from outside. It connects to public addresses only, follows no redirects,
 * and knows when it fails whether anything was sent.
 */
export function createOutbound({ allow, timeoutMs = 15_000, maxBytes = 65_536, resolve }: Options) {
  const guard = createSsrfGuard(allow, resolve);

  return {
    /**
     * @returns the response, with any status
     * @throws AlfredError `destination_forbidden` or `tool_failed` when nothing was sent; `effect_unknown` when the
     *   request was sent and no response came. An abort before anything was sent throws the signal's reason.
     */
    async call({ url, method, headers = {}, body = '', signal, beforeSend }: OutboundCall): Promise<OutboundResponse> {
      const destination = parseDestination(url);
      const stop = linkAbort([signal], { timeoutMs });
      const connection = createConnection(stop.signal);
      const notSentError = (cause?: unknown) => {
        if (signal.aborted) return signal.reason as unknown;
        return connectionError(destination, stop.hasTimedOut() ? 'it took too long' : codeOf(cause), cause);
      };
      try {
        const options = { method, headers: { 'user-agent': `Alfred/${version}`, ...headers } };
        await connection.open(destination, guard, options).catch((error: unknown) => {
          throw notSentError(error);
        });
        await beforeSend?.();
        if (connection.isBroken()) throw notSentError();
        const response = await connection.send(body).catch((cause: unknown) => {
          throw new AlfredError('effect_unknown', `${destination.name} was called and did not answer.`, { cause });
        });
        const { bytes, ending } = await readBody(response, maxBytes);
        return {
          status: response.statusCode ?? 0,
          headers: response.headers,
          bytes,
          ending,
          get text() {
            return bytes.toString();
          },
        };
      } finally {
        connection.close();
        stop.release();
      }
    },
  };
}
export type Outbound = ReturnType<typeof createOutbound>;

function connectionError(destination: Destination, reason: string, cause: unknown): AlfredError {
  if (cause instanceof AlfredError) return cause;
  if (isFilterRefusal(cause)) return noPublicAddressError(destination, cause);
  return new AlfredError('tool_failed', `No connection to ${destination.name} could be made (${reason}).`, {
    cause,
  });
}

/** `ECONNREFUSED`, `ENOTFOUND`, `CERT_HAS_EXPIRED` … */
const codeOf = (cause: unknown) => (cause as NodeJS.ErrnoException | undefined)?.code ?? 'it broke';

/** Never throws: the status is known, so an incomplete body is still a response. */
async function readBody(
  response: IncomingMessage,
  maxBytes: number,
): Promise<Pick<OutboundResponse, 'bytes' | 'ending'>> {
  const chunks: Buffer[] = [];
  let size = 0;
  let ending: OutboundResponse['ending'] = 'whole';
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      size += chunk.length;
      if (size <= maxBytes) continue;
      ending = 'cut';
      break;
    }
  } catch {
    ending = 'broken';
  }
  return { bytes: Buffer.concat(chunks).subarray(0, maxBytes), ending };
}
