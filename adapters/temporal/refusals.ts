import { WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { AlfredError, isErrorCode } from '../../contract/errors.ts';

/** The refusal of an update, as the workflow's handler or validator threw it; undefined for every other error. */
export function refusalOf(error: unknown): AlfredError | undefined {
  const cause = error instanceof WorkflowUpdateFailedError ? error.cause : undefined;
  return cause instanceof ApplicationFailure && isErrorCode(cause.type)
    ? new AlfredError(cause.type, cause.message)
    : undefined;
}
