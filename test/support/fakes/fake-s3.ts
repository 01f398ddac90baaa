import { createHash, createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const region = 'eu-central-1';
export const s3Keys = { S3_ACCESS_KEY_ID: 'AKIDEXAMPLE', S3_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI', S3_REGION: region };

type Stored = { body: Buffer; etag: string };

/**
 * A server that follows the API reference of S3: signatures of version 4, ListObjectsV2 in pages with an opaque token,
 * keys in byte order, GetObject with If-None-Match, and errors as XML (NoSuchBucket, NoSuchKey, AccessDenied,
 * SignatureDoesNotMatch). It has one bucket, in path style.
 *
 * @param options.pageSize the most keys of a page; the reference allows fewer than `max-keys`
 */
export async function createFakeS3({ bucket = 'company-files', pageSize = 1_000 } = {}) {
  const objects = new Map<string, Stored>();
  const unreadable = new Set<string>();
  const requests: string[] = [];
  let isAvailable = true;

  function list(query: URLSearchParams, response: ServerResponse) {
    const max = Math.min(Number(query.get('max-keys') ?? 1_000), 1_000, pageSize);
    const prefix = query.get('prefix') ?? '';
    const token = query.get('continuation-token');
    const after = token === null ? '' : Buffer.from(token, 'base64').toString();
    const keys = [...objects.keys()]
      .filter(
        (key) => key.startsWith(prefix) && (token === null || Buffer.compare(Buffer.from(key), Buffer.from(after)) > 0),
      )
      .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    const page = keys.slice(0, max);
    const isTruncated = keys.length > page.length;
    const next = isTruncated ? tag('NextContinuationToken', Buffer.from(page.at(-1) ?? '').toString('base64')) : '';
    const contents = page.map((key) => {
      const { etag, body } = objects.get(key) as Stored;
      return tag('Contents', tag('Key', xml(key)) + tag('ETag', xml(etag)) + tag('Size', String(body.length)));
    });
    response
      .writeHead(200, { 'content-type': 'application/xml' })
      .end(
        tag(
          'ListBucketResult',
          tag('KeyCount', String(page.length)) + tag('IsTruncated', String(isTruncated)) + next + contents.join(''),
        ),
      );
  }

  function get(key: string, request: IncomingMessage, response: ServerResponse) {
    const found = objects.get(key);
    if (unreadable.has(key)) return refuse(response, 403, 'AccessDenied');
    if (!found) return refuse(response, 404, 'NoSuchKey');
    if (request.headers['if-none-match'] === found.etag)
      return void response.writeHead(304, { etag: found.etag }).end();
    response
      .writeHead(200, { etag: found.etag, 'content-type': 'binary/octet-stream', 'content-length': found.body.length })
      .end(found.body);
  }

  /** PutObject. `If-None-Match: *` refuses to write over what is there. */
  async function store(key: string, request: IncomingMessage, response: ServerResponse) {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    if (request.headers['if-none-match'] === '*' && objects.has(key))
      return refuse(response, 412, 'PreconditionFailed');
    const body = Buffer.concat(parts);
    const etag = `"${createHash('md5').update(body).digest('hex')}"`;
    objects.set(key, { body, etag });
    response.writeHead(200, { etag }).end();
  }

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://fake');
    const [, of = '', ...rest] = url.pathname.split('/');
    const key = decodeURIComponent(rest.join('/'));
    requests.push(key === '' ? `list ${url.searchParams.get('prefix') ?? ''}` : key);
    if (!isAvailable) return refuse(response, 503, 'SlowDown');
    const signatureError = signatureProblem(request, url);
    if (signatureError) return refuse(response, 403, signatureError);
    if (of !== bucket) return refuse(response, 404, 'NoSuchBucket');
    if (request.method === 'PUT') void store(key, request, response);
    else if (key === '') list(url.searchParams, response);
    else get(key, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    put: (key: string, text: string) => {
      const body = Buffer.from(text);
      objects.set(key, { body, etag: `"${createHash('md5').update(body).digest('hex')}"` });
    },
    remove: (key: string) => void objects.delete(key),
    /** From now on the credentials may list the key but not read it. */
    denyReads: (key: string) => void unreadable.add(key),
    /** The requests since the last call: a key, or `list <prefix>`. */
    takeRequests: () => requests.splice(0),
    setAvailable: (next: boolean) => {
      isAvailable = next;
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
export type FakeS3 = Awaited<ReturnType<typeof createFakeS3>>;

const tag = (name: string, content: string) => `<${name}>${content}</${name}>`;
const xml = (text: string) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/"/g, '&quot;');
const refuse = (response: ServerResponse, status: number, code: string) =>
  void response
    .writeHead(status, { 'content-type': 'application/xml' })
    .end(tag('Error', tag('Code', code) + tag('Message', code)));

/**
 * Checks a signature as described in "Authenticating Requests (AWS Signature Version 4)".
 *
 * @returns the error code; undefined for a valid signature
 */
function signatureProblem({ method, headers }: IncomingMessage, url: URL): string | undefined {
  const [, id, date, at, signed, signature] =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=(\w+)$/.exec(
      headers.authorization ?? '',
    ) ?? [];
  if (!date || !at || !signed) return 'AccessDenied';
  if (id !== s3Keys.S3_ACCESS_KEY_ID) return 'InvalidAccessKeyId';
  const query = [...url.searchParams]
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join('&');
  const canonical = [
    method,
    url.pathname,
    query,
    ...signed.split(';').map((name) => `${name}:${String(headers[name]).trim()}`),
    '',
    signed,
    headers['x-amz-content-sha256'],
  ].join('\n');
  const scope = `${date}/${at}/s3/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, sha256(canonical)].join('\n');
  const key = [date, at, 's3', 'aws4_request'].reduce<Buffer | string>(hmac, `AWS4${s3Keys.S3_SECRET_ACCESS_KEY}`);
  return at === region && hmac(key, toSign).toString('hex') === signature ? undefined : 'SignatureDoesNotMatch';
}

const hmac = (key: Buffer | string, text: string) => createHmac('sha256', key).update(text).digest();
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const encode = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);
