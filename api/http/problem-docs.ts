import type { z } from 'zod';
import { defaultMessageOf, httpStatusOf, type ErrorCode } from '../../contract/errors.ts';
import { Problem } from '../../contract/problem.ts';

export type HeaderDoc = { type: string; description: string; required?: boolean; format?: string; example?: unknown };
type Media = { schema: z.ZodType };

/** A documented response: its meaning, its headers beyond the usual ones, and its body by media type. */
export type ResponseDoc = { description: string; headers?: Record<string, HeaderDoc>; content: Record<string, Media> };

/** Codes that every operation below /v1 can answer with. */
const usualCodes: ErrorCode[] = [
  'unauthenticated',
  'token_missing',
  'token_invalid',
  'token_expired',
  'token_not_yet_valid',
  'token_audience',
  'token_issuer',
  'token_type',
  'session_ended',
  'key_invalid',
  'key_expired',
  'key_revoked',
  'forbidden_host',
  'insufficient_scope',
  'role_missing',
  'rate_limited',
  'sign_ins_paused',
  'tenant_suspended',
  'tenant_unknown',
  'not_acceptable',
  'internal',
  'temporal_unavailable',
  'database_unavailable',
  'identity_unavailable',
  'draining',
];

/** The problem response of each status: its name in the document, and what the status stands for. */
export const problemResponses: Record<number, { name: string; description: string }> = {
  400: { name: 'BadRequest', description: 'The request could not be read.' },
  401: {
    name: 'Unauthenticated',
    description: 'The request has no access token or API key that counts. `WWW-Authenticate` says so too.',
  },
  403: { name: 'Forbidden', description: 'The sender may not do this.' },
  404: { name: 'NotFound', description: 'There is no such thing, or the sender may not see it.' },
  406: { name: 'NotAcceptable', description: 'The answer has none of the media types in `Accept`.' },
  409: { name: 'Conflict', description: 'It cannot be done now. Nothing has changed.' },
  410: { name: 'Gone', description: 'It was there and is no longer kept.' },
  413: { name: 'BodyTooLarge', description: 'The body is larger than the limit.' },
  415: { name: 'UnsupportedMediaType', description: 'The body has a media type that is not taken.' },
  422: { name: 'Invalid', description: 'The request does not fit. `issues` says what is wrong where.' },
  429: {
    name: 'TooManyRequests',
    description: 'Too many requests. Nothing was done. Repeat after `Retry-After` seconds.',
  },
  431: { name: 'HeadersTooLarge', description: 'The address and headers are larger than the limit, 16 KB together.' },
  500: { name: 'InternalError', description: 'Something broke on Alfred’s side.' },
  503: { name: 'Unavailable', description: 'A part of Alfred does not answer. Repeat after `Retry-After` seconds.' },
};

const retryAfter = {
  'Retry-After': { type: 'integer', required: true, description: 'Seconds to wait before the repeat' },
};

/** What is left of the limit that refused a request, as draft-ietf-httpapi-ratelimit-headers-11 has it. */
const quota = {
  'RateLimit-Policy': {
    type: 'string',
    description: 'The limit: `q` requests in `w` seconds',
    example: '"starts";q=300;w=60',
  },
  RateLimit: {
    type: 'string',
    description: 'What is left: `r` requests for `t` seconds',
    example: '"starts";r=0;t=21',
  },
};

/** The problem responses for these codes and the usual ones, by status. Each names its codes and what they mean. */
export function problemDocs(codes: ErrorCode[]): Record<number, ResponseDoc> {
  const byStatus = new Map<number, ErrorCode[]>([[431, ['malformed_request']]]);
  for (const code of new Set([...usualCodes, ...codes])) {
    const status = httpStatusOf(code);
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, ofStatus]) => [
      status,
      {
        description: describe(status, ofStatus),
        ...(status === 503 ? { headers: retryAfter } : status === 429 ? { headers: { ...retryAfter, ...quota } } : {}),
        content: { 'application/problem+json': { schema: Problem } },
      },
    ]),
  );
}

/** Statuses with so many codes, or one code of many statuses, that the status says what they mean together. */
const describedByStatus = [401, 431];

/** One sentence for one code, a list for several. */
function describe(status: number, codes: ErrorCode[]): string {
  const names = codes.map((code) => `\`${code}\``);
  if (describedByStatus.includes(status)) return `${problemResponses[status]?.description} (${names.join(', ')})`;
  const lines = codes.map((code, i) => `${names[i]}: ${defaultMessageOf(code)}`);
  return lines.length === 1 ? String(lines[0]) : lines.map((line) => `- ${line}`).join('\n');
}
