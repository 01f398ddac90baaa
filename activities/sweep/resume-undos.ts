import { undoWorkflowId } from '../../contract/ids.ts';
import { startGraceMs } from '../../contract/rules/task-reconciliation.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Effects, Workflows, WorkflowSurvey } from '../../contract/ports/index.ts';
import { rowsWithoutRun } from './open-rows.ts';

export type UndoSweepDeps = {
  effects: Pick<Effects, 'listUndoing'>;
  workflows: Pick<Workflows, 'undoTask'>;
  survey: Pick<WorkflowSurvey, 'describe' | 'runningAmong'>;
  log: Logger;
};

/** Goes on with undos that were asked for and have no workflow: it was terminated, lost, or never started. */
export async function resumeUndos(
  { effects, workflows, survey, log }: UndoSweepDeps,
  signal: AbortSignal,
): Promise<void> {
  const rows = rowsWithoutRun({
    open: (page) => effects.listUndoing(page),
    idOf: ({ taskId }) => taskId,
    workflowIdOf: ({ taskId }) => undoWorkflowId(taskId),
    olderThanMs: startGraceMs,
    survey,
    signal,
  });
  for await (const { row: task, describe } of rows) {
    const { taskId } = task;
    try {
      const { status } = await describe();
      if (status === 'running') continue;
      await workflows.undoTask(task);
      log.warn({ taskId, found: status }, 'an undo that was forgotten goes on');
    } catch (error) {
      signal.throwIfAborted();
      log.warn({ err: error, taskId }, 'a forgotten undo could not be started');
    }
  }
}
