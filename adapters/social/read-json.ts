import type { z } from 'zod';
import type { SourceAnswer, SourceCalls } from './source-calls.ts';

/** @throws AlfredError `source_unreadable` when the answer is not JSON of this schema */
export function readJson<S extends z.ZodType>(
  calls: Pick<SourceCalls, 'unreadable'>,
  { bytes, url }: Pick<SourceAnswer, 'bytes' | 'url'>,
  schema: S,
): z.infer<S> {
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString('utf8'));
  } catch {
    throw calls.unreadable(url, 'answered with something that is not JSON');
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue && issue.path.length > 0 ? issue.path.join('.') : 'the answer';
  throw calls.unreadable(url, `answered in a form that Alfred does not know: ${field} is not as expected`);
}
