import { z } from 'zod';
import { ErrorCodeSchema } from './error-code.ts';

/** RFC 9457 problem document. */
export const Problem = z.object({
  type: z.string().describe('`urn:alfred:problem:` and the code'),
  title: z.string().describe('The same for every problem with this code'),
  status: z.int().describe('The HTTP status'),
  code: ErrorCodeSchema,
  detail: z.string().describe('For people: what is wrong here, and what to do'),
  requestId: z.string().describe('The header `x-request-id`; finds the lines in the log'),
  issues: z
    .array(z.object({ path: z.string(), message: z.string() }))
    .optional()
    .describe('What is wrong where, for invalid_request'),
  taskId: z.uuid().optional().describe('The task that is in the way, for conversation_busy'),
});
export type Problem = z.infer<typeof Problem>;
