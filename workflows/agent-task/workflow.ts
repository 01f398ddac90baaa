import {
  ApplicationFailure,
  CancellationScope,
  isCancellation,
  proxyActivities,
  proxyLocalActivities,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import type { ContentHash, Head, TaskPlan, TaskRef, ToolResultRef } from '../../contract/references.ts';
import { modelCall, row, toolCall } from '../policies.ts';
import { exceededLimit } from './budget.ts';
import { failureOf, taskFailure } from './failure.ts';
import { TaskProgress } from './progress.ts';

const { callModel } = proxyActivities<Activities>(modelCall);
const { runTool } = proxyActivities<Activities>(toolCall);
const { startTask, completeTask, closeTask } = proxyLocalActivities<Activities>(row);

export type AgentTask = TaskRef & { head: Head };

/** One agent, one question, until it answers: ask the model, run the tools it wants, ask again. */
export async function agentTaskWorkflow({ head, ...task }: AgentTask): Promise<ContentHash> {
  const progress = new TaskProgress(task);
  try {
    const plan = await startTask({ task });
    progress.planned(plan);
    const result = await withinTime(plan.budget.maxDurationS, () => answer(task, plan, head, progress));
    // An answer that is there is not cancelled any more.
    await CancellationScope.nonCancellable(() => completeTask({ task, result }));
    progress.ended('completed');
    return result;
  } catch (error) {
    const cancelled = isCancellation(error) && CancellationScope.current().consideredCancelled;
    const failure = failureOf(error);
    await CancellationScope.nonCancellable(() =>
      closeTask({
        task,
        closure: cancelled
          ? { status: 'cancelled', reason: 'Cancelled on request.' }
          : { status: 'failed', ...failure },
      }),
    );
    progress.ended(cancelled ? 'cancelled' : 'failed');
    throw cancelled ? error : taskFailure(failure);
  }
}

/** The loop: a model call a step, its tool calls side by side, until the model has nothing more to ask. */
async function answer(task: TaskRef, plan: TaskPlan, head: Head, progress: TaskProgress): Promise<ContentHash> {
  let results: ToolResultRef[] = [];
  for (let step = 1; step <= plan.maxSteps; step++) {
    const exceeded = exceededLimit(plan.budget, progress);
    if (exceeded) throw ApplicationFailure.nonRetryable(exceeded, 'budget_exceeded');

    progress.callsModel(step);
    const turn = await callModel({ task, step, model: plan.model, head, results });
    progress.spent(turn.usage);
    if (turn.next === 'answer') return turn.result;

    progress.runsTools(turn.calls);
    results = await Promise.all(turn.calls.map((call) => runTool({ task, step, head: turn.head, call })));
    head = turn.head;
  }
  throw ApplicationFailure.nonRetryable(`No answer after ${plan.maxSteps} steps.`, 'step_limit');
}

async function withinTime<T>(seconds: number | undefined, run: () => Promise<T>): Promise<T> {
  if (seconds === undefined) return run();
  const left = seconds * 1_000 - (Date.now() - workflowInfo().runStartTime.getTime());
  if (left <= 0) throw ApplicationFailure.nonRetryable(`Not finished within ${seconds} s.`, 'deadline_exceeded');
  const scope = new CancellationScope({ cancellable: true, timeout: left });
  try {
    return await scope.run(run);
  } catch (error) {
    if (!isCancellation(error) || CancellationScope.current().consideredCancelled) throw error;
    throw ApplicationFailure.nonRetryable(`Not finished within ${seconds} s.`, 'deadline_exceeded');
  }
}
