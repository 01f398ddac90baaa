import { z } from 'zod';
import { Ingestion } from './documents.ts';
import { Task } from './task.ts';

/** What a callback sends when a task has ended. */
export const TaskReport = z.object({
  type: z.enum(['task.completed', 'task.incomplete', 'task.failed', 'task.cancelled']),
  timestamp: z.iso.datetime().describe('When the task ended'),
  data: Task.omit({ links: true }).describe('The task, as `GET /v1/tasks/{id}` shows it'),
});

/** What a callback sends when an upload has ended. */
export const IngestionReport = z.object({
  type: z.enum(['ingestion.completed', 'ingestion.failed', 'ingestion.cancelled']),
  timestamp: z.iso.datetime().describe('When the upload ended'),
  data: Ingestion.omit({ links: true }).describe('The upload, as `GET /v1/ingestions/{id}` shows it'),
});
