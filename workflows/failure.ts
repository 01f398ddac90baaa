import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/workflow';
import { isErrorCode, defaultMessageOf, type ErrorCode } from '../contract/errors.ts';
import type { WaitReason } from '../contract/references.ts';

/** What a failed model or tool call must wait for; undefined when waiting does not help. */
export function waitReasonOf(error: unknown): WaitReason | undefined {
  // A local activity fails without an `ActivityFailure` around its error.
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (!(cause instanceof ApplicationFailure)) return undefined;
  return waitable.includes(cause.type ?? '') ? (cause.details?.[0] as WaitReason | undefined) : undefined;
}

const waitable: string[] = [
  'budget_exceeded',
  'model_outage',
  'database_unavailable',
  'index_unavailable',
  'tenant_suspended',
] satisfies ErrorCode[];

/** What ended a workflow, as a stable code and a sentence for people. */
export function failureOf(error: unknown): { code: ErrorCode; message: string } {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof ApplicationFailure && isErrorCode(cause.type))
    return { code: cause.type, message: cause.message };
  const code =
    error instanceof ActivityFailure && cause instanceof TimeoutFailure ? timeoutCodes[error.activityType] : undefined;
  return { code: code ?? 'internal', message: defaultMessageOf(code ?? 'internal') };
}

const timeoutCodes: Record<string, ErrorCode | undefined> = {
  callModel: 'model_unavailable',
  runTool: 'tool_failed',
  startRemote: 'effect_unknown',
  followRemote: 'remote_unavailable',
};

/** The error with which a workflow fails. It has no stack: history would keep the paths of this machine. */
export function taskFailure({ code, message }: { code: ErrorCode; message: string }): ApplicationFailure {
  const failure = ApplicationFailure.create({ message, type: code, nonRetryable: true });
  failure.stack = '';
  return failure;
}
