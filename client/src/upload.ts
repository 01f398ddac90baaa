import { request } from './request.ts';
import type { CallOptions, RequestOptions } from './routes.ts';
import type { Ingestion, Schemas } from './schemas.ts';
import type { Server } from './server.ts';

/** `name` is the document's name and may be a relative path: the same name again replaces the document. */
export type FileToUpload = { name: string; content: string | Uint8Array | ArrayBuffer | Blob };

/** How long an upload may take, in milliseconds, unless the caller says otherwise. */
const defaultTimeoutMs = 600_000;

export type UploadOptions = CallOptions & {
  /** The collection of the documents, who may read them, their tags. */
  query?: RequestOptions<'POST /v1/documents'>['query'];
  /** Tells a server of yours when the files have been read. */
  callback?: Schemas['Callback'] | undefined;
};

export function upload(
  server: Server,
  files: readonly FileToUpload[],
  { query, callback, timeoutMs = defaultTimeoutMs, ...options }: UploadOptions = {},
): Promise<Ingestion> {
  const body = new FormData();
  // Some versions of the compiler take no bytes here that could be of shared memory.
  for (const { name, content } of files) body.append('file', new Blob([content as string]), name);
  if (callback) body.append('callback', JSON.stringify(callback));
  return request(server, 'POST /v1/documents', {
    body,
    timeoutMs,
    ...options,
    ...(query && { query }),
  });
}
