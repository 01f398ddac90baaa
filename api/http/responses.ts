import { z } from 'zod';
import type { ErrorCode } from '../../contract/errors.ts';
import { problemDocs, type HeaderDoc, type ResponseDoc } from './problem-docs.ts';

export const json = (description: string, schema: z.ZodType, headers: Record<string, HeaderDoc> = {}): ResponseDoc => ({
  description,
  headers,
  content: { 'application/json': { schema } },
});

export const location = (of: string) => ({
  Location: { type: 'string', format: 'uri-reference', required: true, description: `Where to read ${of}` },
});

/** Codes that any request with a body can get. */
export const bodyProblems = [
  'malformed_request',
  'body_too_large',
  'unsupported_media_type',
  'invalid_request',
] as const satisfies ErrorCode[];

/** The problem responses of a route: those that every route has, and those of the given codes. */
export const problems = (...codes: ErrorCode[]): Record<number, ResponseDoc> => problemDocs(codes);

/** The headers of a route that makes something. */
export const IdempotencyHeaders = z.looseObject({
  'idempotency-key': z
    .string()
    .regex(/^[\x21-\x7e]{1,255}$/, 'expected 1 to 255 visible ASCII characters')
    .optional()
    .meta({
      'x-parameter': 'IdempotencyKey',
      description:
        'A key of your own, like `expenses-1`. It makes a repeat safe: the same key with the same body gives the same result, and with another body is refused',
    }),
});

/** The id in a route's address. The names of those that several routes share stand in the API document. */
const idParams = (name: string, of: string) =>
  z.object({ id: z.uuid().meta({ 'x-parameter': name, description: `The id of the ${of}` }) });

export const TaskParams = idParams('TaskId', 'task');
export const ApprovalParams = idParams('ApprovalId', 'approval');
export const ConversationParams = idParams('ConversationId', 'conversation');
export const DocumentParams = idParams('DocumentId', 'document');
export const ContactParams = idParams('ContactId', 'contact');
export const ContactIngestParams = idParams('ContactIngestId', 'upload of contacts');
export const ContactMergeParams = idParams('ContactMergeId', 'merge');
export const MemoryParams = idParams('MemoryId', 'memory');
export const IngestionParams = idParams('IngestionId', 'upload');
export const ScheduleParams = idParams('ScheduleId', 'schedule');
export const SourceParams = idParams('SourceId', 'source');
