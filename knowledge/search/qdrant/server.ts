import type { IncomingMessage } from 'node:http';
import { QdrantClient } from '@qdrant/js-client-rest';
import { AlfredError } from '../../../contract/errors.ts';
import { sendStreamingRequest, type StreamingRequest } from './streaming-request.ts';

/** No normal request takes this long. It is less than the time a database connection may idle in a transaction. */
const timeoutMs = 30_000;

/** The collection does not exist, or not any more. */
export class CollectionNotFound extends Error {
  override readonly name = 'CollectionNotFound';
}

/** A Qdrant server, or several nodes behind one address. Sends no request until it is used, and retries none. */
export function createServer({ url, key }: { url: string; key: string | undefined }) {
  const { protocol, hostname, port, pathname, host } = new URL(url);
  const address = {
    host: hostname,
    https: protocol === 'https:',
    // URL drops a port that is the protocol's default. Without any port in the URL, it is Qdrant's own.
    port: port ? Number(port) : /:(80|443)(\/|$)/.test(url) ? null : 6333,
    prefix: pathname.replace(/\/+$/, ''),
  };
  const client = new QdrantClient({
    ...address,
    timeout: timeoutMs,
    checkCompatibility: false,
    ...(key === undefined ? {} : { headers: { 'api-key': key } }),
  });
  return {
    /**
     * @throws AlfredError `index_unavailable` when the server is away or refuses us, `internal` when it refuses the
     *   request
     * @throws CollectionNotFound
     */
    async call<T>(request: (client: QdrantClient) => Promise<T>): Promise<T> {
      try {
        return await request(client);
      } catch (error) {
        throw withHost(error, host);
      }
    },
    /**
     * Sends a request that may take hours or carries a file.
     *
     * @returns the response; the caller reads its body
     * @throws like `call`, or the signal's reason
     */
    async stream(request: StreamingRequest): Promise<IncomingMessage> {
      try {
        return await sendStreamingRequest(address, key, request);
      } catch (error) {
        request.signal.throwIfAborted();
        throw withHost(error, host);
      }
    },
  };
}
export type Server = ReturnType<typeof createServer>;

type RequestFailure = {
  name?: string;
  code?: unknown;
  status?: number;
  retry_after?: number;
  data?: { status?: { error?: string } };
};

const socketCodes = /^(E(CONN|PIPE|HOST|NET|TIMEDOUT|NOTFOUND|AI_)|CERT_|UNABLE_TO|SELF_SIGNED|DEPTH_ZERO|ERR_TLS)/;

/** The error that says which host failed, why, and what to do. */
function withHost(error: unknown, host: string): unknown {
  const { name, code, status, retry_after, data } = error as RequestFailure;
  const reason = data?.status?.error;
  const unavailable = (message: string) =>
    new AlfredError('index_unavailable', message, {
      cause: error,
      retryAfterMs: retry_after === undefined ? undefined : retry_after * 1_000,
    });
  if (status === 404) return new CollectionNotFound(reason, { cause: error });
  if (status === 401 || status === 403)
    return unavailable(`Qdrant at ${host} refuses us (${status}): put its API key into VECTOR_DB_KEY.`);
  if (status === 429 || retry_after !== undefined) return unavailable(`Qdrant at ${host} limits our requests.`);
  if (name === 'QdrantClientTimeoutError')
    return unavailable(`Qdrant at ${host} did not answer within ${timeoutMs / 1_000} s.`);
  if (status !== undefined && status >= 500)
    return unavailable(`Qdrant at ${host} failed (${status}): ${reason ?? 'its log says why'}`);
  if (status !== undefined)
    return new AlfredError(
      'internal',
      `Qdrant at ${host} refused a request (${status}): ${reason ?? 'no reason given'}`,
      { cause: error },
    );
  // `fetch` throws a TypeError when there is no connection; a socket has one of the codes.
  if (name === 'TypeError' || (typeof code === 'string' && socketCodes.test(code)))
    return unavailable(`Qdrant at ${host} cannot be reached: see that it runs and QDRANT_URL is right.`);
  return error;
}
