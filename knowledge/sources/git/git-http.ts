import type { HttpClient } from 'isomorphic-git';
import { AlfredError } from '../../../contract/errors.ts';
import type { Outbound } from '../../../adapters/outbound/outbound.ts';
import { checkPack } from './check-pack.ts';
import { packOfAnswer } from './pack-of-answer.ts';

/** Of one object, and of all of a repository, unpacked. */
const limits = { objectBytes: 100_000_000, totalBytes: 1_000_000_000 };

/** Git's requests, guarded like every address that somebody else named. Redirects are not followed. */
export const createGitHttp = (outbound: Outbound, signal: AbortSignal): HttpClient => ({
  async request({ url, method = 'GET', headers = {}, body }) {
    const { host } = new URL(url);
    const sent: Uint8Array[] = [];
    for await (const piece of body ?? []) sent.push(piece);
    const answer = await outbound
      .call({ url, method: method === 'POST' ? 'POST' : 'GET', headers, body: Buffer.concat(sent), signal })
      .catch((cause: unknown) => {
        signal.throwIfAborted();
        if (cause instanceof AlfredError && (cause.code === 'tool_failed' || cause.code === 'effect_unknown'))
          throw new AlfredError('source_unreachable', cause.message, { cause });
        throw cause;
      });
    const { status, bytes, ending } = answer;
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
    // Names of branches become names of files; Git allows none with two dots in a row.
    if (method === 'GET' && bytes.includes('..'))
      throw new AlfredError('source_unreadable', `The repository at ${host} has a branch whose name is none.`);
    if (method === 'POST' && url.endsWith('/git-upload-pack')) {
      const pack = packOfAnswer(bytes);
      if (pack.length > 0) await checkPack(pack, limits);
    }
    return {
      url,
      method,
      statusCode: status,
      statusMessage: '',
      headers: Object.fromEntries(Object.entries(answer.headers).map(([name, value]) => [name, String(value)])),
      body: once(bytes),
    };
  },
});

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  yield bytes;
}
