import { z } from 'zod';
import { ingestedStates, Ingestion, IngestionOutcome } from './documents.ts';
import { eventPageFields } from './events.ts';
import { TaskError } from './task.ts';

const eventSchema = <T extends string, D extends z.ZodRawShape>(type: T, data: D) =>
  z.object({
    seq: z.int().positive().describe('1, 2, 3 … within the upload, without gaps'),
    at: z.iso.datetime(),
    type: z.literal(type),
    data: z.object(data),
  });

/** `file` is its place among the files of the upload. */
const fileFields = { file: z.int().nonnegative().describe('Its place in the upload, from 0'), name: z.string() };
const endFields = { outcome: IngestionOutcome, counts: Ingestion.shape.counts };

/** An event of an upload: one for each file that was read or refused, in the order in which that happened. */
export const IngestionEvent = z.discriminatedUnion('type', [
  eventSchema('ingestion.queued', { files: z.int().nonnegative() }),
  eventSchema('file.read', {
    ...fileFields,
    state: z.enum(ingestedStates).extract(['added', 'replaced', 'unchanged']),
    documentId: z.uuid(),
  }),
  eventSchema('file.failed', { ...fileFields, error: TaskError }),
  eventSchema('ingestion.completed', endFields),
  eventSchema('ingestion.failed', endFields),
  eventSchema('ingestion.cancelled', endFields),
]);
export type IngestionEvent = z.infer<typeof IngestionEvent>;

/** The last event of an upload. */
export const isLastIngestionEvent = ({ type }: IngestionEvent) =>
  type === 'ingestion.completed' || type === 'ingestion.failed' || type === 'ingestion.cancelled';

export const IngestionEventPage = z.object({ events: z.array(IngestionEvent), ...eventPageFields });
