import { AlfredError } from '../contract/errors.ts';
import { isDatabaseUnavailable } from '../runtime/database/postgres.ts';

/** Any error as one of ours; what we do not know is `internal` and keeps its words out of history. */
export function alfredErrorOf(error: unknown): AlfredError {
  if (error instanceof AlfredError) return error;
  if (isDatabaseUnavailable(error)) return new AlfredError('database_unavailable', undefined, { cause: error });
  return new AlfredError('internal', undefined, { cause: error });
}

/** Whether an activity was stopped because its worker shuts down, and not because somebody cancelled it. */
export const isShutdown = ({ reason }: AbortSignal) => reason instanceof Error && reason.message === 'WORKER_SHUTDOWN';
