import type { HttpClient } from 'isomorphic-git';
import { AlfredError } from '../../../contract/errors.ts';
import type { Outbound } from '../../../adapters/outbound/outbound.ts';
import { checkPack } from './check-pack.ts';
import { extractPack } from './extract-pack.ts';

/** Sizes of one object and of a whole repository, unpacked. */
const limits = { objectBytes: 100_000_000, totalBytes: 1_000_000_000 };

/**
 * HTTP for the Git library. Requests go through the outbound guard, because a user chose the address. Redirects are not
 * followed.
 */
export const createGitHttp = (outbound: Outbound, signal: AbortSignal): HttpClient => ({
  async request({ url, method = 'GET', headers = {}, body }) {
    const { host } = new URL(url);
    const requestBody: Uint8Array[] = [];
    for await (const piece of body ?? []) requestBody.push(piece);
    const response = await outbound
      .call({ url, method: method === 'POST' ? 'POST' : 'GET', headers, body: Buffer.concat(requestBody), signal })
      .catch((cause: unknown) => {
        signal.throwIfAborted();
        if (cause instanceof AlfredError && (cause.code === 'tool_failed' || cause.code === 'effect_unknown'))
          throw new AlfredError('source_unreachable', cause.message, { cause });
        throw cause;
      });
    const { status, bytes, ending } = response;
    if (ending === 'cut')
      throw new AlfredError(
        'file_too_large',
        `The repository at ${host} is larger than the ${Math.floor(bytes.length / 1_000_000)} MB that are read, packed.`,
      );
    if (ending === 'broken' || status >= 500)
      throw new AlfredError('source_unreachable', `${host} did not answer as it should (${status}).`);
    if (status === 404)
      throw new AlfredError('source_unreadable', `${host} has no repository at the source’s address.`);
    if (status !== 200)
      throw new AlfredError('source_refused', `${host} answered ${status}: Alfred may not read this repository there.`);
    // The library turns names of branches into file names. `..` would leave the folder, and Git forbids it in names.
    if (method === 'GET' && bytes.includes('..'))
      throw new AlfredError('source_unreadable', `The repository at ${host} has a branch whose name is none.`);
    if (method === 'POST' && url.endsWith('/git-upload-pack')) {
      const pack = extractPack(bytes);
      if (pack.length > 0) await checkPack(pack, limits);
    }
    return {
      url,
      method,
      statusCode: status,
      statusMessage: '',
      headers: Object.fromEntries(Object.entries(response.headers).map(([name, value]) => [name, String(value)])),
      body: singlePiece(bytes),
    };
  },
});

async function* singlePiece(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  yield bytes;
}
