import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/workflow';
import { isErrorCode, defaultMessageOf, type ErrorCode } from '../contract/errors.ts';
import type { WaitReason } from '../contract/references.ts';

/** What a model call waits for, when waiting helps. */
export function waitReasonOf(error: unknown): WaitReason | undefined {
  const cause = error instanceof ActivityFailure ? error.cause : undefined;
  if (!(cause instanceof ApplicationFailure)) return undefined;
  const waits = cause.type === 'budget_exceeded' || cause.type === 'model_outage';
  return waits ? (cause.details?.[0] as WaitReason | undefined) : undefined;
}

/** What ended a task, as a stable code and a sentence a person understands. */
export function failureOf(error: unknown): { code: ErrorCode; message: string } {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof ApplicationFailure && isErrorCode(cause.type))
    return { code: cause.type, message: cause.message };
  const code =
    error instanceof ActivityFailure && cause instanceof TimeoutFailure ? timeoutCodes[error.activityType] : undefined;
  return { code: code ?? 'internal', message: defaultMessageOf(code ?? 'internal') };
}

const timeoutCodes: Record<string, ErrorCode | undefined> = { callModel: 'model_unavailable', runTool: 'tool_failed' };

/** How the workflow itself fails. Without a stack: it would keep the paths of a machine in history. */
export function taskFailure({ code, message }: { code: ErrorCode; message: string }): ApplicationFailure {
  const failure = ApplicationFailure.create({ message, type: code, nonRetryable: true });
  failure.stack = '';
  return failure;
}
