import type { IncomingMessage } from 'node:http';
import { QdrantClient } from '@qdrant/js-client-rest';
import { AlfredError } from '../../../contract/errors.ts';
import { sendStreamingRequest, type StreamingRequest } from './streaming-request.ts';

/** No request takes this long where all is well; it is less than a database connection may idle in a transaction. */
const timeoutMs = 30_000;

/** The collection is not there, or no longer. */
export class CollectionNotFound extends Error {
  override readonly name = 'Gone';
}

/** A Qdrant server, or several nodes behind one address. Asks nothing until it is used, and retries nothing. */
export function createServer({ url, key }: { url: string; key: string | undefined }) {
  const { protocol, hostname, port, pathname, host } = new URL(url);
  const place = {
    host: hostname,
    https: protocol === 'https:',
    // A URL forgets the port that is its protocol's own; without any, it is Qdrant's.
    port: port ? Number(port) : /:(80|443)(\/|$)/.test(url) ? null : 6333,
    prefix: pathname.replace(/\/+$/, ''),
  };
  const client = new QdrantClient({
    ...place,
    timeout: timeoutMs,
    checkCompatibility: false,
    ...(key === undefined ? {} : { headers: { 'api-key': key } }),
  });
  return {
    /** @throws AlfredError `index_unavailable` when the server is away or refuses us; Gone where there is no collection */
    async ask<T>(request: (client: QdrantClient) => Promise<T>): Promise<T> {
      try {
        return await request(client);
      } catch (error) {
        throw told(error, host);
      }
    },
    /**
     * A request that may take hours, or carries a file.
     *
     * @param request.path below the server's address
     * @returns the response, to be read
     * @throws as `ask` does
     */
    async send(request: StreamingRequest): Promise<IncomingMessage> {
      try {
        return await sendStreamingRequest(place, key, request);
      } catch (error) {
        request.signal.throwIfAborted();
        throw told(error, host);
      }
    },
  };
}
export type Server = ReturnType<typeof createServer>;

type Failed = {
  name?: string;
  code?: unknown;
  status?: number;
  retry_after?: number;
  data?: { status?: { error?: string } };
};

const socketCodes = /^(E(CONN|PIPE|HOST|NET|TIMEDOUT|NOTFOUND|AI_)|CERT_|UNABLE_TO|SELF_SIGNED|DEPTH_ZERO|ERR_TLS)/;

function told(error: unknown, host: string): unknown {
  const { name, code, status, retry_after, data } = error as Failed;
  const said = data?.status?.error;
  const unavailable = (message: string) =>
    new AlfredError('index_unavailable', message, {
      cause: error,
      retryAfterMs: retry_after === undefined ? undefined : retry_after * 1_000,
    });
  if (status === 404) return new CollectionNotFound(said, { cause: error });
  if (status === 401 || status === 403)
    return unavailable(`Qdrant at ${host} refuses us (${status}): put its API key into VECTOR_DB_KEY.`);
  if (status === 429 || retry_after !== undefined) return unavailable(`Qdrant at ${host} limits our requests.`);
  if (name === 'QdrantClientTimeoutError')
    return unavailable(`Qdrant at ${host} did not answer within ${timeoutMs / 1_000} s.`);
  if (status !== undefined && status >= 500)
    return unavailable(`Qdrant at ${host} failed (${status}): ${said ?? 'its log says why'}`);
  if (status !== undefined)
    return new AlfredError(
      'internal',
      `Qdrant at ${host} refused a request (${status}): ${said ?? 'no reason given'}`,
      {
        cause: error,
      },
    );
  // What fetch throws when there is no connection, and what a socket does.
  if (name === 'TypeError' || (typeof code === 'string' && socketCodes.test(code)))
    return unavailable(`Qdrant at ${host} cannot be reached: see that it runs and QDRANT_URL is right.`);
  return error;
}
