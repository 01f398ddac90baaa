import { z } from 'zod';
import { errorCodes } from './errors.ts';

/** RFC 9457 problem document. */
export const Problem = z.object({
  type: z.string().describe('Address of the explanation'),
  title: z.string(),
  status: z.int(),
  code: z.enum(errorCodes),
  detail: z.string(),
  requestId: z.string(),
  issues: z
    .array(z.object({ path: z.string(), message: z.string() }))
    .optional()
    .describe('What is wrong where, for invalid_request'),
  taskId: z.uuid().optional().describe('The task that is in the way, for conversation_busy'),
});
export type Problem = z.infer<typeof Problem>;
