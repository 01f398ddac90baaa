import { activityInfo } from '@temporalio/activity';
import type { StepResult, TaskPlan, TaskRef, ToolResultRef, WaitReason } from '../contract/references.ts';
import type { TaskEnd } from '../contract/ports/index.ts';
import type { Logger } from '../runtime/logger.ts';

/** What the activities of a task get and return, as far as a log line says it: names, ids and numbers, no content. */
type Given = {
  task?: TaskRef;
  step?: number;
  model?: string;
  call?: { callId: string; tool: string };
  stop?: WaitReason;
  closure?: TaskEnd;
};

type Line = { message: string; facts?: (given: Given, result: never) => object };

/** The log line of each activity that changes where a task stands. The keys are the wire names. */
const lines: Record<string, Line> = {
  startTask: { message: 'a task started', facts: (_, { model }: TaskPlan) => ({ model }) },
  callModel: {
    message: 'a step of a task ended',
    facts: ({ step, model }, { next, usage }: StepResult) => ({ step, model, next, usage }),
  },
  runTool: {
    message: 'a tool call of a task ended',
    facts: ({ step, call }, { isError = false, misuse }: ToolResultRef) => ({
      step,
      // A model may name a tool that does not exist, in words of its own.
      tool: misuse === 'unknown_tool' ? 'unknown' : call?.tool,
      callId: call?.callId,
      isError,
    }),
  },
  waitFor: { message: 'a task waits', facts: ({ stop }) => ({ reason: stop?.reason }) },
  goOn: { message: 'a task goes on' },
  // A repeat finds the task ended, and does not say how.
  completeTask: { message: 'a task ended', facts: (_, { status }: { status?: string }) => (status ? { status } : {}) },
  closeTask: {
    message: 'a task ended',
    facts: ({ closure }) => ({
      status: closure?.status,
      ...(closure?.status === 'failed' ? { code: closure.code } : {}),
    }),
  },
};

/** What identifies an activity in the log: its task, its workflow and the queue that it ran on. */
export function activityIds(argument: unknown) {
  const { activityType, attempt, taskQueue, workflowExecution } = activityInfo();
  const taskId = (argument as Given | undefined)?.task?.taskId;
  return {
    activityType,
    attempt,
    queue: taskQueue,
    workflowId: workflowExecution?.workflowId,
    ...(taskId === undefined ? {} : { taskId }),
  };
}

/**
 * Logs an activity that succeeded: those of a task at level `info`, one line each, and every other at `debug`. A repeat
 * that returned a stored result is logged as well.
 */
export function logActivity(log: Logger, argument: unknown, { result, ms }: { result: unknown; ms: number }): void {
  const ids = { ...activityIds(argument), ms };
  const line = lines[ids.activityType];
  if (!line) return log.debug(ids, 'an activity ended');
  log.info({ ...ids, ...line.facts?.((argument ?? {}) as Given, (result ?? {}) as never) }, line.message);
}
