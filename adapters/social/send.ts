import { AlfredError } from '../../contract/errors.ts';
import { linkAbort } from '../../runtime/link-abort.ts';
import { version } from '../../runtime/version.ts';
import type { Outbound } from '../outbound/outbound.ts';
import { hostOf, type Send, type SourceAnswer } from './source-calls.ts';

export type SendLimits = { timeoutMs: number; maxBytes: number };

/** A feed may have moved more than once; a circle ends here. */
const mostRedirects = 3;
const redirects = new Set([301, 302, 303, 307, 308]);

/** Sends to a host of our own configuration. Follows no redirection, because requests carry credentials. */
export const sendToOwnHost =
  ({ timeoutMs, maxBytes }: SendLimits): Send =>
  async ({ url, method = 'GET', headers = {}, body, signal }) => {
    const stop = linkAbort([signal], { timeoutMs });
    try {
      const response = await fetch(url, {
        method,
        headers: { 'user-agent': `Alfred/${version}`, ...headers },
        redirect: 'manual',
        signal: stop.signal,
        ...(body === undefined ? {} : { body }),
      });
      const bytes = await readBody(response, url, maxBytes);
      return { status: response.status, headers: response.headers, bytes, url };
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (error instanceof AlfredError) throw error;
      const why = stop.hasTimedOut() ? `within ${timeoutMs / 1_000} s` : `(${faultOf(error)})`;
      throw new AlfredError('source_unreachable', `${hostOf(url)} did not answer ${why}.`, { cause: error });
    } finally {
      stop.release();
    }
  };

async function readBody(response: Response, url: string, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > maxBytes) throw tooLarge(url, maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function faultOf(error: unknown): string {
  const { cause } = error as { cause?: { code?: unknown } };
  return typeof cause?.code === 'string' ? cause.code : 'the connection broke';
}

/** Sends to an address that a person or a model has named: private networks are refused. */
export const sendOutbound =
  (outbound: Outbound, { maxBytes }: Pick<SendLimits, 'maxBytes'>): Send =>
  async ({ url, headers = {}, signal }) => {
    let address = url;
    for (let sent = 0; sent <= mostRedirects; sent++) {
      const answer = await callOnce(outbound, { address, headers, signal, maxBytes });
      const target = redirects.has(answer.status) ? answer.headers.get('location') : null;
      const next = target === null ? null : URL.parse(target, address);
      if (!next) return answer;
      address = next.href;
    }
    throw new AlfredError('source_refused', `${hostOf(url)} sends readers on in a circle.`);
  };

type OutboundGet = { address: string; headers: Record<string, string>; signal: AbortSignal; maxBytes: number };

async function callOnce(
  outbound: Outbound,
  { address, headers, signal, maxBytes }: OutboundGet,
): Promise<SourceAnswer> {
  const { ending, bytes, ...answer } = await outbound
    .call({ url: address, method: 'GET', headers, signal })
    .catch((error: unknown) => {
      if (signal.aborted || !(error instanceof AlfredError) || error.code === 'destination_forbidden') throw error;
      throw new AlfredError('source_unreachable', error.message, { cause: error });
    });
  if (ending === 'cut') throw tooLarge(address, maxBytes);
  if (ending === 'broken')
    throw new AlfredError('source_unreachable', `${hostOf(address)} broke off, or took too long.`);
  return { status: answer.status, headers: new Headers(entriesOf(answer.headers)), bytes, url: address };
}

const entriesOf = (headers: Record<string, string | string[] | undefined>): [string, string][] =>
  Object.entries(headers).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value]],
  );

const tooLarge = (url: string, maxBytes: number) =>
  new AlfredError('source_unreadable', `The answer of ${hostOf(url)} is larger than ${maxBytes / 1_000_000} MB.`);
