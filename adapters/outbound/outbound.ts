import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { AlfredError } from '../../contract/errors.ts';
import { linkAbort } from '../../runtime/link-abort.ts';
import { version } from '../../runtime/version.ts';
import { createConnection } from './connection.ts';
import { destinationOf, noPublicAddress, type Destination } from './destination.ts';
import { createGuard, isRefusal, type Resolve } from './guard.ts';

export type OutboundCall = {
  /** Named by somebody else: a model, a caller. */
  url: string;
  method: 'GET' | 'POST';
  headers?: Record<string, string>;
  body?: string | Uint8Array;
  signal: AbortSignal;
  /** Runs when the connection stands and nothing has been sent yet. */
  beforeSend?: (() => Promise<void>) | undefined;
};
/**
 * `bytes` is the body, or its beginning when `ending` is not `whole`: `cut` at the limit, or `broken` off by the other side
 * or the clock. `text` is the same as UTF-8.
 */
export type OutboundResponse = {
  status: number;
  headers: IncomingHttpHeaders;
  bytes: Buffer;
  ending: 'whole' | 'cut' | 'broken';
  readonly text: string;
};

type Options = {
  /** IP addresses and ranges that may be called although they are not public. */
  allow: readonly string[];
  /** For the whole call. */
  timeoutMs?: number;
  /** Of the response's body; the rest is not read. */
  maxBytes?: number;
  resolve?: Resolve;
};

/**
 * The one way to call an address that somebody else named. Connects to public addresses only, follows no redirect, and
 * knows whether anything was sent when it fails.
 */
export function createOutbound({ allow, timeoutMs = 15_000, maxBytes = 65_536, resolve }: Options) {
  const guard = createGuard(allow, resolve);

  return {
    /**
     * @throws AlfredError `destination_forbidden`, `tool_failed`: nothing was sent; `effect_unknown`: something
     *   was, and no answer came. An abort before anything was sent is thrown as it is.
     */
    async call({ url, method, headers = {}, body: sent = '', signal, beforeSend }: OutboundCall): Promise<OutboundResponse> {
      const destination = destinationOf(url);
      const stop = linkAbort([signal], { timeoutMs });
      const connection = createConnection(stop.signal);
      const nothingSent = (cause?: unknown) => {
        if (signal.aborted) return signal.reason as unknown;
        return notSent(destination, stop.hasTimedOut() ? 'it took too long' : codeOf(cause), cause);
      };
      try {
        const options = { method, headers: { 'user-agent': `Alfred/${version}`, ...headers } };
        await connection.open(destination, guard, options).catch((error: unknown) => {
          throw nothingSent(error);
        });
        await beforeSend?.();
        if (connection.isBroken()) throw nothingSent();
        const response = await connection.send(sent).catch((cause: unknown) => {
          throw new AlfredError('effect_unknown', `${destination.name} was called and did not answer.`, { cause });
        });
        const { statusCode: status = 0, headers: answered } = response;
        const body = await bodyOf(response, maxBytes);
        return {
          status,
          headers: answered,
          ...body,
          get text() {
            return body.bytes.toString();
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

function notSent(destination: Destination, why: string, cause: unknown): AlfredError {
  if (cause instanceof AlfredError) return cause;
  if (isRefusal(cause)) return noPublicAddress(destination, cause);
  return new AlfredError('tool_failed', `No connection to ${destination.name} could be made (${why}).`, {
    cause,
  });
}

/** `ECONNREFUSED`, `ENOTFOUND`, `CERT_HAS_EXPIRED` … */
const codeOf = (cause: unknown) => (cause as NodeJS.ErrnoException | undefined)?.code ?? 'it broke';

/** What came until it was enough, too late or broken off: the status is known by then. */
async function bodyOf(response: IncomingMessage, maxBytes: number): Promise<Pick<OutboundResponse, 'bytes' | 'ending'>> {
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
    // The beginning is as good as nothing of it was promised.
    ending = 'broken';
  }
  return { bytes: Buffer.concat(chunks).subarray(0, maxBytes), ending };
}
