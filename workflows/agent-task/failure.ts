import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/workflow';
import { isErrorCode, sentenceOf, type ErrorCode } from '../../contract/errors.ts';

/** What ended a task, as a stable code and a sentence a person understands. */
export function failureOf(error: unknown): { code: ErrorCode; message: string } {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof ApplicationFailure && isErrorCode(cause.type))
    return { code: cause.type, message: cause.message };
  const code =
    error instanceof ActivityFailure && cause instanceof TimeoutFailure ? timeoutCodes[error.activityType] : undefined;
  return { code: code ?? 'internal', message: sentenceOf(code ?? 'internal') };
}

const timeoutCodes: Record<string, ErrorCode | undefined> = { callModel: 'model_unavailable', runTool: 'tool_failed' };
