import { AlfredError } from './alfred-error.ts';
import type { Ingestion, IngestionEvent, Task, TaskEvent } from './schemas.ts';

type EndOf<Event extends { type: string }, Of extends string> = Extract<
  Event['type'],
  `${Of}.${'completed' | 'incomplete' | 'failed' | 'cancelled'}`
>;

/** What Alfred sends to a `callback`. `data` is the task or upload as it ended. */
export type Webhook = { timestamp: string } & (
  | { type: EndOf<TaskEvent, 'task'>; data: Omit<Task, 'links'> }
  | { type: EndOf<IngestionEvent, 'ingestion'>; data: Omit<Ingestion, 'links'> }
);

type HeaderRecord = Record<string, string | readonly string[] | undefined>;

export type SignedRequest = {
  headers: Headers | HeaderRecord;
  /** The body as it came, before it is parsed. */
  body: string | Uint8Array;
};

export type VerifyOptions = {
  /** The secret of the callback (`whsec_…`). While it changes: the new one and the old one. */
  secret: string | readonly string[];
  /** How far the time of the request may be from now, in seconds. Default: 300. */
  toleranceS?: number;
};

/**
 * Checks that Alfred has sent this request, as Standard Webhooks specifies (https://www.standardwebhooks.com), and
 * returns what it says. For servers: a browser must not know the secret.
 *
 * @param request a `Request` of the Fetch API, or headers and the raw body
 * @returns the message, and its `id`: the same for each repeat of a delivery
 * @throws AlfredError `webhook_invalid`, TypeError when a secret is none
 */
export async function verifyWebhook(
  request: Request | SignedRequest,
  { secret, toleranceS = 300 }: VerifyOptions,
): Promise<{ id: string } & Webhook> {
  const keys = [secret].flat().map(bytesOfSecret);
  const body = await bytesOf(request);
  const id = headerOf(request.headers, 'webhook-id');
  const timestamp = headerOf(request.headers, 'webhook-timestamp');
  const signatures = headerOf(request.headers, 'webhook-signature')
    .split(' ')
    .flatMap((one) => (one.startsWith('v1,') ? decodeBase64(one.slice(3)) : undefined) ?? []);

  const ageS = Math.abs(Date.now() / 1_000 - Number(timestamp));
  if (!/^\d{1,12}$/.test(timestamp) || ageS > toleranceS)
    throw invalid(`webhook-timestamp is ${timestamp}: more than ${toleranceS} s from now`);

  const head = new TextEncoder().encode(`${id}.${timestamp}.`);
  const signed = new Uint8Array(head.length + body.length);
  signed.set(head);
  signed.set(body, head.length);
  for (const key of keys)
    for (const signature of signatures) if (await isSignature(key, signature, signed)) return { id, ...parse(body) };
  throw invalid('it is not signed with this secret, or was changed on the way');
}

const invalid = (reason: string) =>
  new AlfredError(
    'webhook_invalid',
    `The webhook is refused: ${reason}. Pass the body as it came, before it is parsed.`,
    { status: 401 },
  );

async function isSignature(secret: Bytes, signature: Bytes, signed: Bytes): Promise<boolean> {
  const key = await crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify']);
  return crypto.subtle.verify('HMAC', key, signature, signed);
}

type Bytes = Uint8Array<ArrayBuffer>;

/** Goes by what an object can do: frameworks bring a `Request` and `Headers` of their own. */
async function bytesOf(request: Request | SignedRequest): Promise<Bytes> {
  if ('arrayBuffer' in request) return new Uint8Array(await request.arrayBuffer());
  if (typeof request.body === 'string') return new TextEncoder().encode(request.body);
  if (ArrayBuffer.isView(request.body)) return new Uint8Array(request.body);
  throw new TypeError('body must be the raw body of the request, as text or bytes, before it is parsed');
}

function parse(body: Bytes): Webhook {
  return JSON.parse(new TextDecoder().decode(body)) as Webhook;
}

function headerOf(headers: Headers | HeaderRecord, name: string): string {
  const value = typeof headers.get === 'function' ? headers.get(name) : (headers as HeaderRecord)[name];
  if (typeof value !== 'string') throw invalid(`it has no header ${name}`);
  return value;
}

function bytesOfSecret(secret: string): Bytes {
  const bytes = decodeBase64(secret.replace(/^whsec_/, ''));
  if (bytes && bytes.length > 0) return bytes;
  throw new TypeError('secret is not the secret of a callback: expected whsec_ and base64');
}

function decodeBase64(text: string): Bytes | undefined {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}
