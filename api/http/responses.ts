import { z } from 'zod';
import { Problem } from '../../contract/problem.ts';

type HeaderDoc = { type: string; description: string; required?: boolean; format?: string; example?: unknown };
type Media = { schema: z.ZodType };

/** A documented response: its meaning, its headers beyond the usual ones, and its body by media type. */
export type ResponseDoc = { description: string; headers?: Record<string, HeaderDoc>; content: Record<string, Media> };

export const json = (description: string, schema: z.ZodType, headers: Record<string, HeaderDoc> = {}): ResponseDoc => ({
  description,
  headers,
  content: { 'application/json': { schema } },
});

export const location = (of: string) => ({
  Location: { type: 'string', format: 'uri-reference', required: true, description: `Where to read ${of}` },
});

const meanings: Record<number, string> = {
  400: 'The request could not be read (`malformed_request`).',
  401: 'No access token or API key (`token_missing`), or one that does not count (`token_*`, `key_*`); `WWW-Authenticate` says so too.',
  403: 'Addressed to another host, or sent by another web site (`forbidden_host`); not yours to decide (`approval_forbidden`); the token or key is limited to other things (`insufficient_scope`).',
  404: 'There is nothing with that id, or it is not yours (`not_found`, `callback_missing`).',
  406: 'None of the media types in `Accept` exists (`not_acceptable`).',
  409: 'It cannot be done now (`budget_refused`, `task_ended`, `task_queued`, `task_running`, `task_in_conversation`, `nothing_to_undo`, `approval_decided`, `approval_changed`, `schedule_missing`, `source_exists`, `key_ended`, `ingestion_running`, `ingestion_without_failures`, `conversation_*`); nothing has changed.',
  410: 'It was there and is no longer kept (`file_bytes_gone`, `document_version_gone`).',
  413: 'The body is larger than the limit (`body_too_large`).',
  415: 'The body has a media type that is not taken (`unsupported_media_type`).',
  422: 'The request does not fit (`invalid_request`, `unknown_agent`, `idempotency_key_reused`, `message_id_reused`, `file_*`); `issues` says where.',
  431: 'The address and headers are larger than the limit, 16 KB together (`malformed_request`).',
  500: 'Something broke on our side (`internal`).',
  503: 'Temporal, the database or the identity provider does not answer, or the process is stopping. Repeat after `Retry-After` seconds.',
};

/** The problem responses of a route: those that every route has, and the given statuses. */
export const problems = (...statuses: number[]): Record<number, ResponseDoc> =>
  Object.fromEntries(
    [401, 403, 406, 431, 500, 503, ...statuses].map((status) => [
      status,
      {
        description: meanings[status] ?? '',
        ...(status === 503
          ? {
              headers: {
                'Retry-After': { type: 'integer', required: true, description: 'Seconds to wait before the repeat' },
              },
            }
          : {}),
        content: { 'application/problem+json': { schema: Problem } },
      },
    ]),
  );

/** Statuses that any request with a body can get. */
export const bodyProblems = [400, 413, 415, 422] as const;

/** The header `Idempotency-Key` of a route that makes something. @param made what a repeat gives again */
export const idempotencyHeaders = (made = 'result') =>
  z.looseObject({
    'idempotency-key': z
      .string()
      .regex(/^[\x21-\x7e]{1,255}$/, 'expected 1 to 255 visible ASCII characters')
      .optional()
      .describe(`Makes a repeat safe: the same key and body give the same ${made}`),
  });

export const IdParams = z.object({ id: z.uuid() });
